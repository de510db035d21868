import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from fashionbert.scoring import Scorer, load_model, read_settings

Command: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.mark.slow
def test_a_student_is_left_with_the_teachers_patches_and_words(
    command: Command, trained: Path, world: Path, tmp_path: Path
) -> None:
    """The teacher's folder has a name that YAML would cut off at the sign."""
    trained, out = Path(shutil.copytree(trained, tmp_path / "2024 #1")), tmp_path / "student"
    code, _, said = command(
        *("distill", trained, "--catalogue", world, "--layers", 1, "--out", out, "--device", "cpu"),
        *("--set", "training.epochs=0.5", "--set", "training.contrastive_epochs=0"),
    )
    assert code == 0, said
    settings = read_settings(out)
    assert settings.distillation.teacher == str(trained)
    assert settings.model.layers == 1
    assert load_model(out).config.num_hidden_layers == 1
    student, teacher = Scorer.from_pretrained(out), Scorer.from_pretrained(trained)
    assert student.processor.extractor.fingerprint == teacher.processor.extractor.fingerprint
    assert student.processor.tokenizer.get_vocab() == teacher.processor.tokenizer.get_vocab()


def test_more_layers_than_the_teacher_has(command: Command, trained: Path, world: Path, tmp_path: Path) -> None:
    code, _, complaint = command("distill", trained, "--catalogue", world, "--layers", 3, "--out", tmp_path / "student")
    assert code == 2
    assert "model.layers = 3" in complaint
    assert "has 1 layers" in complaint
