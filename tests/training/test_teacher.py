"""Models that go on from a run and models that imitate one."""

from pathlib import Path

import pytest
import torch

from fashionbert.errors import RunError, SettingsError
from fashionbert.scoring import load_model
from fashionbert.training.setup import spread
from tests.training.conftest import QuietDisplay, Run

TWO = {"model.layers": 2, "model.split_layers": 1}


@pytest.fixture
def teacher(run: Run, tmp_path: Path) -> Path:
    folder = tmp_path / "teacher"
    run(TWO, folder)
    return folder


def learns_from(teacher: Path, **others: object) -> dict[str, object]:
    named = {"model.backbone": teacher, "distillation.teacher": teacher}
    return {**named, "model.width": 128, "model.heads": 4, "model.layers": 1, "model.split_layers": 0, **others}


@pytest.mark.parametrize(
    ("there", "wanted", "chosen"),
    [(6, 2, [2, 5]), (6, 3, [1, 3, 5]), (6, 4, [1, 2, 4, 5]), (12, 1, [11]), (2, 2, [0, 1])],
)
def test_layers_are_spread_and_the_last_is_kept(there: int, wanted: int, chosen: list[int]) -> None:
    assert spread(there, wanted) == chosen


def test_a_run_goes_on_from_another(run: Run, teacher: Path, tmp_path: Path) -> None:
    """With a learning rate of next to nothing the new model is the old one but for its layers."""
    changes = learns_from(teacher) | {"training.learning_rate": 1e-12, "training.epochs": 0.01}
    del changes["distillation.teacher"]
    run(changes)
    old, new = load_model(teacher).state_dict(), load_model(tmp_path / "run").state_dict()
    layer = "fashionbert.bert.encoder.layer."
    for name, value in new.items():
        if not name.startswith("bank."):  # filled anew
            torch.testing.assert_close(value, old[name.replace(f"{layer}0.", f"{layer}1.")], atol=1e-6, rtol=0)


def test_a_student_comes_nearer_to_its_teacher(run: Run, teacher: Path) -> None:
    display = QuietDisplay()
    run(learns_from(teacher) | {"training.epochs": 6, "distillation.share": 1.0}, display=display)
    away = [figures["loss.imitation"] for figures in display.figures if "loss.imitation" in figures]
    assert len(away) > 10
    assert sum(away[-5:]) < 0.8 * sum(away[:5])


def test_a_share_of_nothing_is_no_teacher(run: Run, teacher: Path, tmp_path: Path) -> None:
    alone = learns_from(teacher) | {"training.epochs": 0.5}
    taught = alone | {"distillation.share": 0.0}
    del alone["distillation.teacher"]
    run(alone, tmp_path / "alone")
    run(taught, tmp_path / "taught")
    one, other = (load_model(tmp_path / name).state_dict() for name in ("alone", "taught"))
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], atol=1e-6, rtol=0)


def test_a_teacher_that_does_not_fit_is_refused(run: Run, teacher: Path, tmp_path: Path) -> None:
    others = {"distillation.teacher": teacher, "model.late_interaction_size": 0, "model.vocabulary": 200}
    with pytest.raises(SettingsError, match="cannot teach this model") as caught:
        run(others, tmp_path / "other")
    size = load_model(teacher).config.late_interaction_size
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "they have other WordPieces",
        f"model.late_interaction_size is {size} there, 0 here",
    ]
    assert not (tmp_path / "other").exists()
    with pytest.raises(RunError, match=r"nowhere holds no model\.safetensors"):
        run({"distillation.teacher": tmp_path / "nowhere"}, tmp_path / "other")
