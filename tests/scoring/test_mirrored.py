"""Pairs are read with a picture and its mirror image where the run stores both."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fashionbert.catalogue import hold_products
from fashionbert.config import ImageSettings
from fashionbert.data import Examples, build_examples
from fashionbert.errors import StoreError
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.network import build_patch_network
from fashionbert.model import FashionBertForPreTraining
from fashionbert.scoring import FashionBertProcessor, Scorer
from fashionbert.types import Product

WORDS = ["red linen dress", "dress", "blue shirt with long sleeves", "linen"]
PICTURES = [
    Image.fromarray(np.random.default_rng(number).integers(0, 256, (14, 14, 3), np.uint8)) for number in range(4)
]
MIRRORED = [picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for picture in PICTURES]
MakeModel = Callable[..., FashionBertForPreTraining]


@pytest.fixture
def both(processor: FashionBertProcessor) -> FashionBertProcessor:
    settings = ImageSettings(
        network="pixels", mode="crop", grid=3, height=12, width=12, cell_size=2, variants="mirrored"
    )
    extractor = PatchExtractor(settings, build_patch_network(settings))
    return FashionBertProcessor(processor.tokenizer, extractor, 24)


@pytest.fixture
def split(both: FashionBertProcessor, make_features: Callable[..., Any]) -> Callable[[int], Examples]:
    """The products as a split whose features have one variant or two."""

    def make(variants: int) -> Examples:
        ids = [f"p{number}" for number in range(4)]
        features = make_features(ids, patches=9, size=12, variants=variants)
        features.features[::variants] = both.extractor.extract(PICTURES)
        if variants == 2:
            features.features[1::2] = both.extractor.extract(PICTURES, mirrored=True)
        products = (
            Product(product_id=name, group_id=name, text=text, pictures=())
            for name, text in zip(ids, WORDS, strict=True)
        )
        return build_examples(hold_products(products), features, both.tokenizer, max_tokens=24, all_pictures=False)

    return make


def margin(probability: np.ndarray) -> np.ndarray:
    return np.log(probability / (1 - probability))


@pytest.mark.parametrize(
    "changes", [{}, {"side_agreement": True, "late_interaction_size": 5, "split_layers": 1, "bank_size": 3}]
)
def test_margins_are_the_mean_of_both_views(
    make_model: MakeModel, processor: FashionBertProcessor, both: FashionBertProcessor, changes: dict[str, Any]
) -> None:
    plain, twofold = Scorer(make_model(**changes), processor), Scorer(make_model(**changes), both)
    pairs = [(text, picture) for text in WORDS for picture in PICTURES]
    others = [(text, picture) for text in WORDS for picture in MIRRORED]
    expected = (margin(plain.score(pairs)) + margin(plain.score(others))) / 2
    np.testing.assert_allclose(margin(twofold.score(pairs)), expected, atol=1e-3)
    np.testing.assert_allclose(twofold.score(others), twofold.score(pairs), atol=1e-5)
    assert np.abs(margin(twofold.score(pairs)) - margin(plain.score(pairs))).max() > 0.01


def test_rows_of_a_split_are_read_with_both(
    make_model: MakeModel, both: FashionBertProcessor, split: Callable[[int], Examples]
) -> None:
    scorer = Scorer(make_model(), both)
    texts, shown = np.repeat(np.arange(4), 4), np.tile(np.arange(4), 4)
    done: list[int] = []
    margins = scorer.score_rows(split(2), texts, shown, done.append)
    by_hand = scorer.score([(WORDS[text], PICTURES[picture]) for text, picture in zip(texts, shown, strict=True)])
    np.testing.assert_allclose(1 / (1 + np.exp(-margins)), by_hand, rtol=0, atol=1e-6)
    assert sum(done) == 16
    with pytest.raises(StoreError, match="no mirror images"):
        scorer.score_rows(split(1), texts, shown)


def test_vectors_are_of_the_picture_alone(
    make_model: MakeModel, processor: FashionBertProcessor, both: FashionBertProcessor
) -> None:
    plain, twofold = Scorer(make_model(), processor), Scorer(make_model(), both)
    np.testing.assert_array_equal(twofold.encode_pictures(PICTURES), plain.encode_pictures(PICTURES))
