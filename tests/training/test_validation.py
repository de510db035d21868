"""R@1 of a scorer whose answers are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fashionbert.evaluation.gallery import Gallery
from fashionbert.training.validation import draw_validation_lists, validate

COUNT = 30


@dataclass
class Told:
    """The pair model is right for the products below ``right``; the vectors always are."""

    right: int
    has_vectors: bool = True
    pairs_at_once: int = 1000

    def encode_tokens(self, texts: Any) -> NDArray[np.float32]:
        return np.eye(COUNT, dtype=np.float32)

    def encode_features(self, read: Any, count: int) -> NDArray[np.float32]:
        return np.eye(COUNT, dtype=np.float32)

    def score_rows(self, examples: Any, texts: Any, pictures: Any, advance: Any) -> NDArray[np.float32]:
        return np.where((texts == pictures) & (texts < self.right), 1.0, 0.0).astype(np.float32)


class Split:
    texts = None

    def __len__(self) -> int:
        return COUNT

    def read_features(self, rows: Any) -> None: ...


@pytest.fixture
def lists() -> Any:
    numbers = np.arange(COUNT)
    gallery = Gallery(
        product_ids=tuple(f"p{number}" for number in numbers),
        groups=numbers,
        categories=np.zeros(COUNT, np.int64),
        subcategories=np.zeros(COUNT, np.int64),
    )
    return draw_validation_lists(gallery, COUNT)


def test_both_systems(lists: Any) -> None:
    """Ties count against, so a wrong answer is not half right."""
    figures = validate(Told(right=12), Split(), lists, with_pairs=True)  # pyright: ignore[reportArgumentType]
    assert figures == {
        "vectors.text_to_image": 1.0,
        "vectors.image_to_text": 1.0,
        "pair.text_to_image": pytest.approx(0.4),
        "pair.image_to_text": pytest.approx(0.4),
        "recall_at_1": pytest.approx(0.4),
    }


def test_before_the_pair_stage_the_vectors_count(lists: Any) -> None:
    figures = validate(Told(right=0), Split(), lists, with_pairs=False)  # pyright: ignore[reportArgumentType]
    assert figures == {"vectors.text_to_image": 1.0, "vectors.image_to_text": 1.0, "recall_at_1": 1.0}


def test_a_model_without_vectors(lists: Any) -> None:
    told = Told(right=30, has_vectors=False)
    figures = validate(told, Split(), lists, with_pairs=True)  # pyright: ignore[reportArgumentType]
    assert figures == {"pair.text_to_image": 1.0, "pair.image_to_text": 1.0, "recall_at_1": 1.0}


def test_every_validation_asks_the_same_questions() -> None:
    gallery = Gallery(
        product_ids=tuple(map(str, range(200))),
        groups=np.arange(200),
        categories=np.zeros(200, np.int64),
        subcategories=np.zeros(200, np.int64),
    )
    first, second = draw_validation_lists(gallery, 20), draw_validation_lists(gallery, 20)
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.candidates, two.candidates)
        assert one.candidates.shape == (20, 101)
