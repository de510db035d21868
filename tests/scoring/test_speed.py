import pickle
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
import torch

from fashionbert.arithmetic import has_int8, packs_weights
from fashionbert.errors import SettingsError
from fashionbert.model import FashionBertForPreTraining
from fashionbert.scoring import FashionBertProcessor, KeptPictures, Scorer
from fashionbert.types import Speed

MakeModel = Callable[..., FashionBertForPreTraining]
WORDS = ["red linen dress", "blue shirt", "a red cotton shirt with long sleeves", "dress", "", "linen shirt in blue"]
OTHERS = ("bf16", "fp32", "int8")


@pytest.fixture
def pairs(pictures: list[bytes]) -> list[tuple[str, Any]]:
    return list(zip(WORDS, pictures, strict=True))


def test_one_checkpoint_scores_whole_and_split(
    make_model: MakeModel, processor: FashionBertProcessor, pairs: list[tuple[str, Any]]
) -> None:
    """Its weights with the form written into the configuration are the reference of each."""
    both = {
        speed: Scorer(make_model(fast_split_layers=1), processor, speed=speed).score(pairs)
        for speed in ("exact", "split")
    }
    for speed, layers in (("exact", 0), ("split", 1)):
        np.testing.assert_allclose(
            both[speed], Scorer(make_model(split_layers=layers), processor).score(pairs), atol=1e-6
        )
    assert np.abs(both["exact"] - both["split"]).max() > 0.01


def test_the_model_that_was_given_keeps_its_form(
    make_model: MakeModel, processor: FashionBertProcessor, pairs: list[tuple[str, Any]]
) -> None:
    model = make_model(fast_split_layers=1)
    Scorer(model, processor, speed="split").score(pairs)
    assert model.fashionbert.split_layers == 0


def test_two_threads_read_one_model_in_two_forms(make_model: MakeModel) -> None:
    """The second enters and leaves while the first is inside."""
    encoder, seen = make_model(fast_split_layers=1).fashionbert, []
    inside, go_on = Event(), Event()

    def other() -> None:
        with encoder.split_at(1):
            inside.set()
            go_on.wait(10)
            seen.append(encoder.split_layers)

    thread = Thread(target=other)
    thread.start()
    assert inside.wait(10)
    with encoder.split_at(0):
        seen.append(encoder.split_layers)
    go_on.set()
    thread.join()
    assert [*seen, encoder.split_layers] == [0, 1, 0]


def test_kept_pictures_are_of_the_form(make_model: MakeModel, processor: FashionBertProcessor) -> None:
    scorer = Scorer(make_model(fast_split_layers=1), processor, speed="split")
    kept, pictures = KeptPictures(scorer), [np.full((8, 8, 3), shade, np.uint8) for shade in (0, 90, 250)]
    places = np.arange(3)
    margins = kept.margins(WORDS[:3], places, kept.read(pictures), places)
    probabilities = 1 / (1 + np.exp(-margins))
    np.testing.assert_allclose(probabilities, scorer.score(list(zip(WORDS, pictures, strict=False))), atol=1e-3)


def test_a_model_that_is_split_has_one_form(
    make_model: MakeModel, processor: FashionBertProcessor, pairs: list[tuple[str, Any]]
) -> None:
    exact, split = (Scorer(make_model(split_layers=1), processor, speed=speed) for speed in ("exact", "split"))
    np.testing.assert_array_equal(exact.score(pairs), split.score(pairs))


def test_a_form_that_was_not_learnt_is_refused(make_model: MakeModel, processor: FashionBertProcessor) -> None:
    with pytest.raises(SettingsError, match=r"words and patches see each other\n.*model.fast_split_layers"):
        Scorer(make_model(), processor, speed="split")
    with pytest.raises(ValueError, match="speed = 'slow' should be one of exact, fast, split"):
        Scorer(make_model(), processor, speed="slow")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("split_layers", [0, 1])
def test_fast_is_near(
    make_model: MakeModel, processor: FashionBertProcessor, pairs: list[tuple[str, Any]], split_layers: int
) -> None:
    exact = Scorer(make_model(split_layers=split_layers), processor)
    fast = Scorer(make_model(split_layers=split_layers), processor, speed="fast")
    assert fast.pace.numbers in OTHERS
    np.testing.assert_allclose(fast.score(pairs), exact.score(pairs), atol=0.1)
    np.testing.assert_allclose((fast.encode_texts(WORDS) * exact.encode_texts(WORDS)).sum(axis=1), 1, atol=0.02)


@pytest.mark.skipif(not has_int8("cpu"), reason="this processor has no instructions for int8")
def test_fast_without_bf16_is_int8_and_leaves_the_model(
    make_model: MakeModel, processor: FashionBertProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fashionbert.scoring.speed.has_bf16", lambda _: False)
    model = make_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert Scorer(model, processor, speed="fast").pace.numbers == "int8"
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_device_with_nothing_quicker_is_exact(
    make_model: MakeModel,
    processor: FashionBertProcessor,
    pairs: list[tuple[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("has_bf16", "has_int8"):
        monkeypatch.setattr(f"fashionbert.scoring.speed.{name}", lambda _: False)
    fast = Scorer(make_model(), processor, speed="fast")
    assert fast.pace.numbers == "fp32"
    np.testing.assert_array_equal(fast.score(pairs), Scorer(make_model(), processor).score(pairs))


@pytest.mark.skipif(not packs_weights("cpu"), reason="this processor is not one for packed weights")
@pytest.mark.parametrize("split_layers", [0, 1])
def test_exact_packs_its_weights_and_equals_a_forward_pass(
    make_model: MakeModel, processor: FashionBertProcessor, pairs: list[tuple[str, Any]], split_layers: int
) -> None:
    model = make_model(split_layers=split_layers)
    scorer = Scorer(model, processor)
    assert scorer.model is not model
    inputs = processor([text for text, _ in pairs], [picture for _, picture in pairs])
    with torch.inference_mode():
        expected = model(**inputs).alignment_logits.softmax(dim=-1)[:, 1]
    np.testing.assert_allclose(scorer.score(pairs), expected, atol=1e-6)


@pytest.mark.parametrize("speed", ["exact", "fast"])
def test_a_score_does_not_depend_on_the_company(
    make_model: MakeModel, processor: FashionBertProcessor, pairs: list[tuple[str, Any]], speed: Speed
) -> None:
    scorer = Scorer(make_model(), processor, speed=speed)
    if scorer.pace.numbers == "bf16":
        pytest.skip("sums of bf16 are added up in another order for another size")
    alone = [scorer.score([pair])[0] for pair in pairs]
    np.testing.assert_allclose(scorer.score(pairs * 3), alone * 3, atol=1e-5)


@pytest.mark.parametrize("speed", ["exact", "fast"])
def test_a_scorer_follows_copies_and_is_saved(
    make_model: MakeModel, processor: FashionBertProcessor, pairs: list[tuple[str, Any]], speed: Speed, tmp_path: Path
) -> None:
    model = make_model()
    scorer = Scorer(model, processor, speed=speed)
    expected = scorer.score(pairs)
    for copied in (deepcopy(scorer.model), pickle.loads(pickle.dumps(scorer.model)), scorer.model):
        np.testing.assert_allclose(Scorer(copied, processor, speed=speed).score(pairs), expected, atol=1e-6)
    scorer.model.save_pretrained(tmp_path)
    saved = FashionBertForPreTraining.from_pretrained(tmp_path)
    np.testing.assert_allclose(Scorer(saved, processor, speed=speed).score(pairs), expected, atol=1e-6)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.5)
    anew = Scorer(model, processor, speed=speed).score(pairs)
    np.testing.assert_allclose(scorer.score(pairs), anew, atol=1e-6)
    assert np.abs(anew - expected).max() > 1e-3


def test_a_model_in_other_numbers_is_left_in_them(make_model: MakeModel, processor: FashionBertProcessor) -> None:
    for speed in ("exact", "fast"):
        paced = Scorer(make_model().bfloat16(), processor, speed=speed)
        assert paced.model.dtype == torch.bfloat16
        assert paced.pace.numbers != "int8"
