"""Kept records give the scores that the pictures themselves give."""

from collections.abc import Callable

import numpy as np
import pytest

from fashionbert.config import ImageSettings
from fashionbert.errors import RunError, StoreError
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.network import build_patch_network
from fashionbert.model import FashionBertForPreTraining
from fashionbert.scoring import FashionBertProcessor, KeptPictures, Scorer, match_probability

WORDS = ["red linen dress", "a red cotton shirt with long sleeves", ""]
EVERYTHING = {"side_agreement": True, "late_interaction_size": 4, "bank_size": 6, "split_layers": 1}
MakeModel = Callable[..., FashionBertForPreTraining]


@pytest.fixture(params=["plain", "mirrored"])
def either(request: pytest.FixtureRequest, processor: FashionBertProcessor) -> FashionBertProcessor:
    settings = ImageSettings(
        network="pixels", mode="crop", grid=3, height=12, width=12, cell_size=2, variants=request.param
    )
    extractor = PatchExtractor(settings, build_patch_network(settings))
    return FashionBertProcessor(processor.tokenizer, extractor, 24)


@pytest.mark.parametrize("changes", [{}, {"contrastive_size": 0}, {"split_layers": 1}, EVERYTHING], ids=str)
def test_records_score_as_pictures_do(
    changes: dict[str, object], make_model: MakeModel, either: FashionBertProcessor, pictures: list[bytes]
) -> None:
    scorer = Scorer(make_model(**changes), either, batch_size=4)
    kept = KeptPictures(scorer)
    records = kept.read(pictures)
    texts, chosen = np.array([2, 0, 1, 0, 2]), np.array([5, 0, 3, 1, 5])
    margins = kept.margins(WORDS, texts, records, chosen)
    expected = scorer.score([(WORDS[text], pictures[picture]) for text, picture in zip(texts, chosen, strict=True)])
    np.testing.assert_allclose(match_probability(margins), expected, atol=2e-3)
    assert np.ptp(expected) > 0.05


def test_records_carry_the_vectors_of_the_pictures(
    make_model: MakeModel, either: FashionBertProcessor, pictures: list[bytes]
) -> None:
    scorer = Scorer(make_model(), either)
    kept = KeptPictures(scorer)
    np.testing.assert_allclose(kept.vectors(kept.read(pictures)), scorer.encode_pictures(pictures), atol=1e-5)


def test_records_survive_as_bytes(scorer: Scorer, pictures: list[bytes]) -> None:
    kept = KeptPictures(scorer)
    records = kept.read(pictures)
    again = np.frombuffer(b"".join(record.tobytes() for record in records), kept.dtype)
    pairs = np.zeros(6, np.int64), again, np.arange(6)
    assert kept.margins(WORDS, *pairs).tolist() == kept.margins(WORDS, pairs[0], records, pairs[2]).tolist()
    assert kept.dtype.itemsize == 9 * 16 * 2 + 8 * 4  # P x D float16, E float32


def test_nothing_is_read_of_no_pictures(scorer: Scorer) -> None:
    kept = KeptPictures(scorer)
    records = kept.read([])
    assert records.shape == (0,)
    assert kept.margins([], np.zeros(0, np.int64), records, np.zeros(0, np.int64)).shape == (0,)


def test_what_cannot_be_had_is_refused(make_model: MakeModel, processor: FashionBertProcessor) -> None:
    with pytest.raises(RunError, match="has not learnt to score pairs"):
        KeptPictures(Scorer(make_model(), processor, scores_pairs=False)).margins(
            WORDS, np.zeros(1, np.int64), np.zeros(1, np.void), np.zeros(1, np.int64)
        )
    without = KeptPictures(Scorer(make_model(contrastive_size=0), processor))
    with pytest.raises(ValueError, match="no vector head"):
        without.vectors(np.zeros(1, without.dtype))
    with pytest.raises(ValueError, match="2 variants, the model reads 1"):
        without.read_features([np.zeros(1).__getitem__, np.zeros(1).__getitem__], 1)


def test_states_beyond_float16_are_refused(
    make_model: MakeModel, processor: FashionBertProcessor, pictures: list[bytes]
) -> None:
    model = make_model()
    model.fashionbert.patch_embeddings.LayerNorm.bias.data.fill_(1e6)
    with pytest.raises(StoreError, match="states of a picture are not finite"):
        KeptPictures(Scorer(model, processor)).read(pictures)


def test_titles_and_pictures_pass_in_one_sequence(scorer: Scorer, pictures: list[bytes]) -> None:
    """From records as from pictures, whatever the titles beside it are as long; without a title it is the picture."""
    kept = KeptPictures(scorer)
    records = kept.read(pictures[:3])
    titles = ["red linen dress", "", "a blue shirt with long sleeves"]
    vectors = kept.titled_vectors(records, titles)
    np.testing.assert_allclose(vectors, scorer.encode_pictures(pictures[:3], titles), atol=2e-3)
    alone = [scorer.encode_pictures([picture], [title])[0] for picture, title in zip(pictures[:3], titles, strict=True)]
    np.testing.assert_allclose(scorer.encode_pictures(pictures[:3], titles), alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    plain = kept.vectors(records)
    np.testing.assert_allclose(vectors[1], plain[1], atol=2e-3)
    assert np.abs(vectors[0] - plain[0]).max() > 0.01
    assert kept.titled_vectors(records[:0], []).shape == (0, plain.shape[1])
    for wrong in (titles[:2], [*titles, "one more"]):
        with pytest.raises(ValueError, match="titles for 3 pictures"):
            kept.titled_vectors(records, wrong)
        with pytest.raises(ValueError, match="titles for 3 pictures"):
            scorer.encode_pictures(pictures[:3], wrong)
