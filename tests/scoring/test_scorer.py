import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from fashionbert.catalogue import hold_products
from fashionbert.data import build_examples
from fashionbert.errors import PictureError, RunError
from fashionbert.model import FashionBertForPreTraining
from fashionbert.scoring import FashionBertProcessor, Scorer, match_probability, save_weights
from fashionbert.types import Product

WORDS = ["red linen dress", "blue shirt", "a red cotton shirt with long sleeves", "dress", "", "linen shirt in blue"]


@pytest.fixture
def pairs(pictures: list[bytes]) -> list[tuple[str, Any]]:
    return list(zip(WORDS, pictures, strict=True))


def test_scores_are_the_models_own(scorer: Scorer, pairs: list[tuple[str, Any]]) -> None:
    scores = scorer.score(pairs)
    inputs = scorer.processor([text for text, _ in pairs], [picture for _, picture in pairs])
    with torch.inference_mode():
        logits = scorer.model(**inputs).alignment_logits
    np.testing.assert_allclose(scores, logits.softmax(dim=1)[:, 1].numpy(), atol=1e-5)
    assert scores.dtype == np.float32
    assert scores.std() > 0.05


def test_order_batch_size_and_company_change_nothing(
    make_model: Callable[..., FashionBertForPreTraining],
    processor: FashionBertProcessor,
    scorer: Scorer,
    pairs: list[tuple[str, Any]],
) -> None:
    scores = scorer.score(pairs)
    np.testing.assert_allclose([scorer.score([pair])[0] for pair in pairs], scores, atol=1e-5)
    order = [3, 0, 5, 1, 4, 2]
    np.testing.assert_allclose(scorer.score([pairs[place] for place in order]), scores[order], atol=1e-5)
    for size in (1, 4):
        np.testing.assert_allclose(Scorer(make_model(), processor, batch_size=size).score(pairs), scores, atol=1e-5)
    np.testing.assert_allclose(scorer.score([*pairs, ("red " * 20, pairs[0][1])])[:6], scores, atol=1e-5)


def test_a_picture_of_many_pairs_is_read_once(
    scorer: Scorer, pairs: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    extract = scorer.processor.extractor.extract

    def counted(found: list[Any], *, mirrored: bool) -> np.ndarray:
        read.append(len(found))
        return extract(found, mirrored=mirrored)

    monkeypatch.setattr(scorer.processor.extractor, "extract", counted)
    crossed = [(text, pairs[place][1]) for place in (0, 1) for text, _ in pairs]
    scores = scorer.score([*crossed, *crossed])
    assert read == [2]
    np.testing.assert_allclose(scores[:12], scores[12:], atol=1e-6)
    np.testing.assert_allclose(scores[[0, 7]], scorer.score(pairs[:2]), atol=1e-5)


def test_a_picture_scores_alike_however_it_is_held(scorer: Scorer, pictures: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(pictures[0])
    opened = Image.open(io.BytesIO(pictures[0]))
    held = [path, str(path), pictures[0], opened, np.asarray(opened)]
    scores = scorer.score([("red dress", picture) for picture in held])
    np.testing.assert_allclose(scores, scores[0], atol=1e-6)


def test_nothing_to_score(scorer: Scorer) -> None:
    assert scorer.score([]).shape == (0,)
    assert scorer.rank("red dress", []) == []


def test_a_broken_picture_is_named(scorer: Scorer, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_text("404")
    with pytest.raises(PictureError, match=r"broken\.png"):
        scorer.score([("red dress", tmp_path / "broken.png")])


def test_ranking_pictures_for_a_text(scorer: Scorer, pictures: list[bytes]) -> None:
    scores = scorer.score([("red dress", picture) for picture in pictures])
    ranked = scorer.rank("red dress", pictures, top_k=4)
    assert [candidate.index for candidate in ranked] == np.argsort(-scores).tolist()[:4]
    np.testing.assert_allclose([candidate.score for candidate in ranked], np.sort(scores)[::-1][:4], atol=1e-6)


def test_ranking_texts_for_a_picture(scorer: Scorer, pictures: list[bytes]) -> None:
    scores = scorer.score([(text, pictures[2]) for text in WORDS])
    assert [found.index for found in scorer.rank(pictures[2], WORDS)] == np.argsort(-scores).tolist()


def test_ties_keep_the_given_order(scorer: Scorer, pictures: list[bytes]) -> None:
    assert [found.index for found in scorer.rank("dress", [pictures[0]] * 3)] == [0, 1, 2]


def test_sides_that_do_not_fit(scorer: Scorer, pictures: list[bytes]) -> None:
    with pytest.raises(TypeError, match="mix texts and pictures"):
        scorer.rank("dress", [pictures[0], "shirt"])
    with pytest.raises(TypeError, match="both pictures"):
        scorer.rank(pictures[0], pictures)
    with pytest.raises(ValueError, match="top_k = -1 must be at least 1"):
        scorer.rank("dress", pictures, top_k=-1)
    with pytest.raises(TypeError, match=r"text 1 is None, a NoneType: give a str"):
        scorer.score([("dress", pictures[0]), (None, pictures[1])])  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match=r"text 0 is nan, a float"):
        scorer.encode_texts([float("nan")])  # pyright: ignore[reportArgumentType]


def test_a_string_that_names_a_file(scorer: Scorer, pictures: list[bytes], tmp_path: Path) -> None:
    names = [str(tmp_path / f"{number}.png") for number in range(len(pictures))]
    for name, picture in zip(names, pictures, strict=True):
        Path(name).write_bytes(picture)
    assert scorer.rank(names[0], WORDS) == scorer.rank(pictures[0], WORDS)
    assert scorer.rank("red dress", names) == scorer.rank("red dress", pictures)
    assert scorer.rank(names[0], names) == scorer.rank(names[0], pictures)  # a text, since pictures answer


def test_candidates_in_an_array(scorer: Scorer, pictures: list[bytes]) -> None:
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(picture))) for picture in pictures])
    assert scorer.rank("red dress", pixels) == scorer.rank("red dress", list(pixels))  # pyright: ignore[reportArgumentType]
    assert scorer.rank(pictures[2], np.array(WORDS)) == scorer.rank(pictures[2], WORDS)  # pyright: ignore[reportArgumentType]


def test_an_unknown_precision(
    make_model: Callable[..., FashionBertForPreTraining], processor: FashionBertProcessor
) -> None:
    with pytest.raises(ValueError, match="precision = 'fp8' should be one of auto, bf16, fp32"):
        Scorer(make_model(), processor, precision="fp8")  # pyright: ignore[reportArgumentType]


def test_vectors_are_the_models_own(scorer: Scorer, pictures: list[bytes]) -> None:
    texts, images = scorer.encode_texts(WORDS), scorer.encode_pictures(pictures)
    assert texts.shape == images.shape == (6, 8)
    assert texts.dtype == images.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([texts, images]), axis=1), 1.0, atol=1e-5)
    inputs = scorer.processor(images=pictures)
    with torch.inference_mode():
        direct = scorer.model.picture_vectors(inputs["input_ids"], patch_features=inputs["patch_features"])
    np.testing.assert_allclose(images, direct.numpy(), atol=1e-5)
    np.testing.assert_allclose(np.stack([scorer.encode_texts([text])[0] for text in WORDS]), texts, atol=1e-5)


def test_features_read_in_portions(
    make_model: Callable[..., FashionBertForPreTraining], processor: FashionBertProcessor, pictures: list[bytes]
) -> None:
    small = Scorer(make_model(), processor, batch_size=4)
    features = processor.extractor.extract(pictures)
    asked: list[list[int]] = []

    def read(rows: np.ndarray) -> np.ndarray:
        asked.append(rows.tolist())
        return features[rows]

    np.testing.assert_allclose(small.encode_features(read, 6), small.encode_pictures(pictures), atol=1e-6)
    assert asked == [[0, 1, 2, 3], [4, 5]]


def test_sides_that_do_not_fit_into_memory_at_once(
    scorer: Scorer, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [(text, picture) for text in WORDS for picture in pictures]
    together = scorer.score(pairs)
    monkeypatch.setattr("fashionbert.scoring.scorer._SIDE_FLOATS", 1)
    np.testing.assert_allclose(scorer.score(pairs), together, atol=1e-6)


def test_a_model_without_vectors(
    make_model: Callable[..., FashionBertForPreTraining], processor: FashionBertProcessor
) -> None:
    plain = Scorer(make_model(contrastive_size=0), processor)
    assert not plain.has_vectors
    with pytest.raises(ValueError, match="no vector head"):
        plain.encode_texts(["dress"])


def test_rows_of_a_split_score_as_their_texts_and_pictures(
    scorer: Scorer, make_features: Callable[..., Any], pictures: list[bytes]
) -> None:
    """``score_rows`` reads stored features, ``score`` the pictures themselves."""
    ids = [f"p{number}" for number in range(6)]
    features = make_features(ids, patches=9, size=12)
    features.features[:] = scorer.processor.extractor.extract(pictures)
    catalogue = hold_products(
        Product(product_id=name, group_id=name, text=text, pictures=()) for name, text in zip(ids, WORDS, strict=True)
    )
    examples = build_examples(catalogue, features, scorer.processor.tokenizer, max_tokens=24, all_pictures=False)
    texts, shown = np.array([0, 2, 2, 5]), np.array([3, 1, 1, 0])
    done: list[int] = []
    margins = scorer.score_rows(examples, texts, shown, done.append)
    by_hand = scorer.score([(WORDS[text], pictures[picture]) for text, picture in zip(texts, shown, strict=True)])
    np.testing.assert_allclose(match_probability(margins), by_hand, rtol=0, atol=1e-6)
    assert margins[1] == margins[2]
    assert sum(done) == 4


def test_match_probability() -> None:
    margins = np.array([0.0, np.log(3.0), -np.log(3.0), 1e4, -1e4, np.inf], np.float32)
    np.testing.assert_allclose(match_probability(margins), [0.5, 0.75, 0.25, 1.0, 0.0, 1.0], atol=1e-6)


def test_the_model_is_asked_without_dropout(
    make_model: Callable[..., FashionBertForPreTraining], processor: FashionBertProcessor, pairs: list[tuple[str, Any]]
) -> None:
    noisy = Scorer(make_model(hidden_dropout_prob=0.5, patch_dropout_prob=0.5).train(), processor)
    np.testing.assert_array_equal(noisy.score(pairs), noisy.score(pairs))


def test_bf16_is_near(
    make_model: Callable[..., FashionBertForPreTraining],
    processor: FashionBertProcessor,
    scorer: Scorer,
    pairs: list[tuple[str, Any]],
) -> None:
    scores = Scorer(make_model(), processor, precision="bf16").score(pairs)
    np.testing.assert_allclose(scores, scorer.score(pairs), atol=0.1)
    assert scores.dtype == np.float32


def test_sure_matches_keep_their_order(scorer: Scorer, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a margin of 17 every probability is 1 in float32."""
    monkeypatch.setattr(scorer, "_margins", lambda *_: np.array([20.0, 22.0, 21.0], np.float32))
    ranked = scorer.rank("dress", pictures[:3])
    assert [(found.index, found.score) for found in ranked] == [(1, 1.0), (2, 1.0), (0, 1.0)]


def test_a_run_that_has_learnt_vectors_alone_scores_no_pairs(
    folder: Path, make_model: Callable[..., FashionBertForPreTraining], pictures: list[bytes]
) -> None:
    save_weights(make_model(), folder, {"vectors.text_to_image": 0.5, "recall_at_1": 0.5})
    scorer = Scorer.from_pretrained(folder)
    assert not scorer.scores_pairs
    with pytest.raises(RunError, match="has not learnt to score pairs"):
        scorer.score([("dress", pictures[0])])
    save_weights(make_model(), folder, {"vectors.text_to_image": 0.5, "pair.text_to_image": 0.5})
    assert Scorer.from_pretrained(folder).scores_pairs
