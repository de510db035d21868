"""What the contenders of scoring give, at a size that takes no time."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertForSequenceClassification

from fashionbert.bench import ScoringShape, joint_operations, ours, rivals, scoring_contenders
from fashionbert.bench.contender import Work
from fashionbert.bench.scoring import EAGER, JOINT, REFERENCE, SPLIT, SPLIT_REFERENCE
from fashionbert.model import FashionBertForMatching

SHAPE = ScoringShape(layers=3, width=32, heads=2, tokens=5, patches=4, features=8, candidates=3, split_layers=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scoring")
    scoring_contenders(SHAPE, folder)
    return folder


def test_ours_give_what_a_forward_pass_gives(folder: Path) -> None:
    for name in ("joint", "split"):
        slow = ours.reference(str(folder), name)()
        np.testing.assert_allclose(ours.kept(str(folder), name)(), slow, atol=1e-5)
        assert len(np.unique(slow)) == SHAPE.candidates


def test_rivals_of_one_model_give_one_answer(folder: Path) -> None:
    eager, sdpa = (rivals.bert(str(folder), attention)() for attention in ("eager", "sdpa"))
    assert eager.shape == (3,)
    np.testing.assert_allclose(sdpa, eager, atol=1e-6)


class FakeEncoder:
    """A CrossEncoder as its package makes one, around a model; exported ones ask for all three inputs."""

    made: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, path: str, **words: Any) -> None:
        self.made.append(words)
        self._inner = BertForSequenceClassification.from_pretrained(path).eval()
        self._backend = words["backend"]

    def model(self, **inputs: torch.Tensor) -> Any:
        if self._backend != "torch":
            assert set(inputs) == {"input_ids", "attention_mask", "token_type_ids"}
        return self._inner(**inputs)


def test_a_cross_encoder_is_asked_by_each_of_its_back_ends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", SimpleNamespace(CrossEncoder=FakeEncoder))
    expected = rivals.bert(str(folder), "eager")()
    for backend in ("torch", "onnx", "openvino"):
        np.testing.assert_allclose(rivals.cross_encoder(str(folder), backend)(), expected, atol=1e-6)
    assert [words["backend"] for words in FakeEncoder.made] == ["torch", "onnx", "openvino"]
    assert FakeEncoder.made[1]["model_kwargs"] == {"provider": "CPUExecutionProvider"}
    assert FakeEncoder.made[2]["model_kwargs"]["ov_config"]["PERFORMANCE_HINT"] == "LATENCY"
    assert (folder / "bert" / "tokenizer.json").exists()


def test_texts_may_be_longer_than_others_are_used_to(tmp_path: Path) -> None:
    """ViLT reads 40 WordPieces and BERT 512, if nobody says otherwise."""
    shape = ScoringShape(layers=2, width=8, heads=1, tokens=520, patches=4, features=8, candidates=2, split_layers=1)
    scoring_contenders(shape, tmp_path)
    for rival in (rivals.visual_bert, rivals.vilt):
        assert rival(str(tmp_path))().shape == (2,)
    assert rivals.bert(str(tmp_path), "sdpa")().shape == ours.kept(str(tmp_path), "joint")().shape


@pytest.mark.parametrize("rival", [rivals.visual_bert, rivals.vilt])
def test_rivals_that_read_pictures_give_a_number_for_each(folder: Path, rival: Callable[[str], Work]) -> None:
    answer = rival(str(folder))()
    assert answer.shape == (3,)
    assert np.isfinite(answer).all()


def test_everybody_is_compared_with_whom_they_should_equal(tmp_path: Path) -> None:
    names = {each.name: each for each in scoring_contenders(SHAPE, tmp_path)}
    assert names[JOINT].same_as == REFERENCE
    assert names[SPLIT].same_as == SPLIT_REFERENCE
    assert names["ONNX Runtime, int8"].tolerance is None
    assert all(each.same_as in {"", *names} for each in names.values())
    assert names[EAGER].same_as == ""


def test_operations_are_those_of_the_products(folder: Path) -> None:
    """A whole forward pass has as many, and in the last layer those that only other places than [CLS] ask for."""
    inputs = np.load(folder / "inputs.npz")
    model = FashionBertForMatching.from_pretrained(folder / "joint", attn_implementation="eager").eval()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(torch.from_numpy(inputs["text"]).expand(3, -1), None, torch.from_numpy(inputs["features"]))
    others = 8  # of nine places
    left_out = 3 * 2 * others * (2 * 32 * 32 + 8 * 32 * 32 + 2 * 9 * 32)
    projection = 3 * 2 * 4 * 8 * 32  # an index holds patches projected
    assert counter.get_total_flops() == joint_operations(SHAPE) + left_out + projection
