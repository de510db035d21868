from collections.abc import Callable

import numpy as np
import pytest

from fashionbert.model import FashionBertForPreTraining
from fashionbert.scoring import FashionBertProcessor, KeptPictures, Scorer
from fashionbert.scoring.remembered import RememberedTexts

MakeModel = Callable[..., FashionBertForPreTraining]
EVERYTHING = {"side_agreement": True, "late_interaction_size": 4, "bank_size": 6, "split_layers": 1}
WORDS = ["red linen dress", "", "a red cotton shirt with long sleeves", "red linen dress"]


@pytest.fixture
def scorer(make_model: MakeModel, processor: FashionBertProcessor) -> Scorer:
    return Scorer(make_model(**EVERYTHING), processor)


@pytest.fixture
def reads(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts were read, each time that some were."""
    counts: list[int] = []
    texts = scorer.sides.texts

    def counted(*arguments: object) -> object:
        counts.append(len(arguments[1]))  # pyright: ignore[reportArgumentType]
        return texts(*arguments)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(scorer.sides, "texts", counted)
    return counts


def test_vectors_are_those_of_the_scorer(scorer: Scorer, reads: list[int]) -> None:
    remembered = RememberedTexts(scorer)
    for _ in range(2):
        np.testing.assert_allclose(remembered.vectors(WORDS), scorer.encode_texts(WORDS), atol=1e-6)
    assert reads == [3]
    assert remembered.vectors([]).shape == (0, 8)


def test_a_model_whose_logits_ask_for_no_vectors_has_them_still(
    make_model: MakeModel, processor: FashionBertProcessor
) -> None:
    scorer = Scorer(make_model(), processor)
    np.testing.assert_array_equal(RememberedTexts(scorer).vectors(WORDS), scorer.encode_texts(WORDS))


def test_a_query_is_read_once_for_both_stages(scorer: Scorer, reads: list[int], pictures: list[bytes]) -> None:
    kept = KeptPictures(scorer)
    records, at = kept.read(pictures), np.arange(len(pictures))
    fresh = KeptPictures(scorer).margins(WORDS[:1], np.zeros(6, np.int64), records, at)
    del reads[:]
    kept.texts.vectors(WORDS[:1])
    margins = kept.margins(WORDS[:1], np.zeros(6, np.int64), records, at)
    assert kept.places_of_text(WORDS[0]) is not None
    assert reads == [1]
    np.testing.assert_allclose(margins, fresh, atol=1e-5)


def test_company_of_other_lengths_changes_no_score(scorer: Scorer, pictures: list[bytes]) -> None:
    kept, texts, at = KeptPictures(scorer), np.arange(4), np.array([0, 1, 2, 0])
    records = kept.read(pictures)
    alone = [
        KeptPictures(scorer).margins([word], np.zeros(1, np.int64), records[[place]], np.zeros(1, np.int64))[0]
        for word, place in zip(WORDS, at, strict=True)
    ]
    for _ in range(2):  # read together, then remembered apart
        np.testing.assert_allclose(kept.margins(WORDS, texts, records, at), alone, atol=1e-5)


def test_the_oldest_are_forgotten_and_more_than_fit_are_not_kept(scorer: Scorer, reads: list[int]) -> None:
    remembered = RememberedTexts(scorer, size=2)
    for text in ("red", "blue", "red", "green", "red", "blue"):
        remembered.vectors([text])
    assert reads == [1, 1, 1, 1]  # red, blue, green, and blue again
    remembered.vectors(["linen", "cotton", "shirt"])
    remembered.vectors(["red", "blue"])
    assert reads == [1, 1, 1, 1, 3]


def test_what_is_no_text_is_refused(scorer: Scorer) -> None:
    with pytest.raises(TypeError, match="text"):
        RememberedTexts(scorer).vectors(["red", 5])  # pyright: ignore[reportArgumentType]
