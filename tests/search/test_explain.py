"""Reasons of a match against the scorer and the model's own vectors."""

from collections.abc import Callable

import numpy as np
import pytest

from fashionbert.catalogue import Catalogue
from fashionbert.config import ImageSettings
from fashionbert.errors import QueryError
from fashionbert.images.patches import patch_frame
from fashionbert.model import FashionBertForPreTraining
from fashionbert.scoring import FashionBertProcessor, KeptPictures, Scorer
from fashionbert.search import SearchEngine
from fashionbert.search.explain import MOST_WORDS, WordReason, explain


def test_a_word_gains_what_the_match_loses_without_it(engine: SearchEngine, shop: Catalogue) -> None:
    [d3] = [product for product in shop if product.product_id == "d3"]
    explained = engine.explain("Red, (linen) dress", "d3")
    score = engine.kept.scorer.score
    texts = ["Red, (linen) dress", ", (linen) dress", "Red, () dress", "Red, (linen) "]
    log_odds = [np.log(p / (1 - p)) for p in score([(text, d3.pictures[0].read()) for text in texts]).astype(float)]
    assert [(word.text, word.start, word.end) for word in explained.words] == [
        ("Red", 0, 3),
        ("linen", 6, 11),
        ("dress", 13, 18),
    ]
    gains = [word.gain for word in explained.words]
    np.testing.assert_allclose(gains, [log_odds[0] - without for without in log_odds[1:]], atol=2e-2)
    assert explained.probability == pytest.approx(1 / (1 + np.exp(-log_odds[0])), abs=2e-3)


@pytest.mark.parametrize(("gain", "matched"), [(2.0, True), (0.0, True), (-0.49, True), (-0.51, False), (-9.0, False)])
def test_a_word_that_takes_half_from_the_log_odds_does_not_match(gain: float, matched: bool) -> None:
    assert WordReason("red", 0, 3, gain, ()).matched == matched


def test_a_model_without_places_says_nothing_of_patches(engine: SearchEngine) -> None:
    assert engine.kept.scorer.model.config.late_interaction_size == 0
    assert all(word.patches == () for word in engine.explain("red dress", "s1").words)


def test_patches_are_those_nearest_to_the_word(
    make_model: Callable[..., FashionBertForPreTraining], processor: FashionBertProcessor, pictures: list[bytes]
) -> None:
    model = make_model(late_interaction_size=4, split_layers=1, side_agreement=True)
    kept = KeptPictures(Scorer(model, processor))
    record = kept.read(pictures[:1])
    [red, dress] = explain(kept, "red dress", record, (30, 40)).words
    tokens_TK = kept.places_of_text("red dress")
    assert tokens_TK is not None
    spans = processor.token_spans("red dress")
    assert spans[0] == spans[-1] == (0, 0)
    for word in (red, dress):
        inside = [place for place, (start, end) in enumerate(spans) if end and start >= word.start and end <= word.end]
        likeness_P = (tokens_TK[inside] @ record["places"][0, 0].astype(np.float32).T).mean(axis=0)
        grid = np.asarray(word.patches)
        assert grid.shape == (3, 3)
        assert grid.argmax() == likeness_P.argmax()
        assert grid.max() == 1.0
        np.testing.assert_array_equal(grid.ravel() > 0.001, likeness_P > likeness_P.mean() + 1e-4)


def test_a_mirror_image_is_turned_back(pictures: list[bytes]) -> None:
    from fashionbert.search.explain import _upright

    places = np.arange(2 * 4).reshape(2, 4, 1).astype(np.float32)  # rows of each: 0 1 / 2 3, and 4 5 / 6 7
    np.testing.assert_array_equal(_upright(places).ravel(), [(0 + 5) / 2, (1 + 4) / 2, (2 + 7) / 2, (3 + 6) / 2])


@pytest.mark.parametrize("text", ["", "  ?! ", "\x00", "👗"])
def test_texts_without_words(engine: SearchEngine, text: str) -> None:
    assert engine.explain(text, "d1", 1).words == ()


def test_long_texts_are_explained_from_their_beginning(engine: SearchEngine) -> None:
    assert len(engine.explain("dress " * 500, "d1").words) == MOST_WORDS


def test_there_must_be_such_a_picture(engine: SearchEngine) -> None:
    with pytest.raises(QueryError, match="no picture 2"):
        engine.explain("red", "d1", 2)
    with pytest.raises(QueryError, match="no product 'nobody'"):
        engine.explain("red", "nobody")


@pytest.mark.parametrize(
    ("fit", "size", "frame"),
    [
        ("stretch", (30, 40), (0, 0, 1, 1)),
        ("pad", (30, 40), (-1 / 6, 0, 4 / 3, 1)),
        ("pad", (200, 100), (0, -0.5, 1, 2)),
        ("pad", (64, 64), (0, 0, 1, 1)),
    ],
)
def test_the_grid_lies_where_the_picture_was_fitted(fit: str, size: tuple[int, int], frame: tuple[float, ...]) -> None:
    settings = ImageSettings.model_validate({"fit": fit, "height": 256, "width": 256})
    assert patch_frame(*size, settings) == pytest.approx(frame)
