import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from fashionbert.errors import RunError
from fashionbert.evaluation import measure
from fashionbert.files import file_hash
from fashionbert.scoring import Scorer

Command: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def report_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.mark.slow
def test_the_report_has_what_is_promised(command: Command, trained: Path, world: Path, report_folder: Path) -> None:
    words = ["--protocol", "subcategory-101", "--protocol", "full", "--trec", "--device", "cpu"]
    code, out, _ = command("evaluate", trained, "--catalogue", world, "--out", report_folder, *words)
    assert code == 0
    assert "report.json" in " ".join(out.split())
    report = json.loads((report_folder / "report.json").read_text())
    for part, names in {
        "text_to_image": ["recall_at_1", "recall_at_5", "recall_at_10"],
        "image_to_text": ["recall_at_1", "recall_at_5", "recall_at_10"],
        "matching": ["accuracy", "auc"],
    }.items():
        for name in names:
            low, high = report[part][f"{name}_interval"]
            assert 0 <= low <= report[part][name] <= high <= 1
    assert report["model"]["weights"] == file_hash(trained / "model.safetensors")
    assert list(report_folder.glob("*.png"))


@pytest.mark.slow
def test_the_same_command_scores_no_pair_again(
    command: Command, trained: Path, world: Path, report_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_pairs(*_: object) -> np.ndarray:
        raise AssertionError("pairs are scored again")

    before = json.loads((report_folder / "report.json").read_text())
    monkeypatch.setattr(Scorer, "score_rows", no_pairs)
    words = ["--protocol", "subcategory-101", "--protocol", "full", "--device", "cpu"]
    assert command("evaluate", trained, "--catalogue", world, "--out", report_folder, *words)[0] == 0
    after = json.loads((report_folder / "report.json").read_text())
    assert after["text_to_image"] == before["text_to_image"]
    assert after["matching"] == before["matching"]


def test_rows_set_aside_are_told_and_kept(
    command: Command, trained: Path, flawed_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Mapping[str, Any]] = []

    def no_more(*_: object, facts: Mapping[str, Any], **__: object) -> None:
        kept.append(facts)
        raise RunError("that is enough")

    monkeypatch.setattr(measure, "measure_run", no_more)
    _, _, said = command("evaluate", trained, "--catalogue", flawed_world, "--out", tmp_path / "report")
    assert "1 x empty-text, for example train.csv row" in said
    (facts,) = kept
    assert facts["left_out"] == 0
    assert facts["set_aside"] == {"empty-text": 1, "no-picture": 1}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--split", "tset"], "tset"),
        (["--protocol", "best-101"], "--protocol is one of random-101, subcategory-101, full"),
        (["--precision", "fp8"], "--precision"),
        (["--set", "model.layers=3", "--set", "training.seed=1"], "--set training.seed=1: leave it out, or train"),
        (["--set", "evaluation.draw=3"], "did you mean 'draws'?"),
    ],
)
def test_wrong_options(
    command: Command, trained: Path, world: Path, tmp_path: Path, words: list[str], complaint: str
) -> None:
    code, _, said = command("evaluate", trained, "--catalogue", world, "--out", tmp_path / "report", *words)
    assert code == 2
    assert complaint in said
    assert not (tmp_path / "report" / "report.json").exists()


def test_a_folder_that_is_no_run(command: Command, world: Path, tmp_path: Path) -> None:
    code, _, complaint = command("evaluate", tmp_path, "--catalogue", world, "--out", tmp_path / "report")
    assert code == 2
    assert "is no run folder" in complaint
