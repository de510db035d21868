from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

Command: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.mark.shared
def test_there_and_back(command: Command, shared: Path, tmp_path: Path) -> None:
    theirs = shared / "parity" / "easytransfer_tiny"
    code, printed, _ = command("convert", "easytransfer", theirs, tmp_path / "ours")
    assert code == 0
    assert printed.splitlines() == [
        f"taken: 68 variables of the model under 'image_bert_pre_trained_model/' from {theirs / 'model.ckpt'}",
        "skipped: 136 of the optimizer, and beta1_power, beta2_power, global_step",
        f"written: {tmp_path / 'ours'}",
    ]
    code, printed, _ = command("convert", "easytransfer", tmp_path / "ours", tmp_path / "back", "--to", "easytransfer")
    assert code == 0
    assert printed.startswith(f"written: {tmp_path / 'back' / 'model.ckpt'} and ")


def test_a_folder_without_a_checkpoint(command: Command, tmp_path: Path) -> None:
    code, _, complaint = command("convert", "easytransfer", tmp_path, tmp_path / "out")
    assert code == 2
    assert complaint.startswith(f"error: {tmp_path} should hold one TensorFlow checkpoint")
    assert "Traceback" not in complaint


def test_another_form_is_a_fault_of_the_command(command: Command, tmp_path: Path) -> None:
    code, _, complaint = command("convert", "easytransfer", tmp_path, tmp_path / "out", "--to", "onnx")
    assert code == 2
    assert "'onnx' is not one of" in complaint
