from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

Command: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def picture(pictures: list[bytes], tmp_path: Path) -> Path:
    path = tmp_path / "dress.png"
    path.write_bytes(pictures[0])
    return path


@pytest.mark.slow
def test_export_and_score(command: Command, make_run: Callable[[Path], Path], picture: Path, tmp_path: Path) -> None:
    run, out = make_run(tmp_path / "run"), tmp_path / "exported"
    code, printed, complaint = command("export", run, "--out", out, "--int8")
    assert (code, complaint) == (0, "")
    exact, near, written = printed.splitlines()
    assert exact.startswith("model.onnx: ")
    assert "margins of 62 random pairs are" in exact
    assert near.startswith("model-int8.onnx: ")
    assert "rank correlation" in near
    assert written == f"written: {out}"
    answers = [command("score", folder, "red linen dress", picture) for folder in (run, out)]
    assert answers[0] == answers[1]
    assert answers[0][1].endswith(f"  {picture}\n")


def test_an_exported_model_runs_on_the_cpu(command: Command, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "onnx.json").write_text("{}")
    code, _, complaint = command("score", tmp_path, "dress", picture, "--device", "cuda")
    assert code == 2
    assert "--device 'cuda' cannot be used: an exported model runs on the CPU; leave it out" in complaint


def test_no_run_folder(command: Command, tmp_path: Path) -> None:
    code, _, complaint = command("export", tmp_path / "nowhere", "--out", tmp_path / "out")
    assert code == 2
    assert complaint.startswith(f"error: there is no folder {tmp_path / 'nowhere'}")
    assert not (tmp_path / "out").exists()
