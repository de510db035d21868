"""Models that go on from a run and models that imitate one."""

from pathlib import Path

import pytest
import torch

from fashionbert.catalogue import Catalogue
from fashionbert.errors import SettingsError
from fashionbert.images.writer import write_store
from fashionbert.scoring import load_model
from fashionbert.training import build_extractor
from fashionbert.training.setup import spread
from tests.training.conftest import MakeSettings, QuietDisplay, Run

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


@pytest.mark.slow
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
    its, named = load_model(teacher).config, f"distillation.teacher = {str(teacher)!r}"
    others = {"model.late_interaction_size": 0, "model.max_text_tokens": 500, "images.grid": 2, "images.cell_size": 4}
    with pytest.raises(SettingsError, match="cannot start") as caught:
        run({"distillation.teacher": teacher, **others}, tmp_path / "other")
    assert caught.value.faults == (
        f"{named}: its pictures have 16 patches, here 4: set images.grid alike",
        f"{named}: it reads {its.max_position_embeddings} WordPieces: lower model.max_text_tokens to that",
        f"{named}: model.late_interaction_size is {its.late_interaction_size} there, 0 here: both have it or neither",
    )
    with pytest.raises(SettingsError, match=r"cannot teach this model\n.*they have other WordPieces"):
        run({"distillation.teacher": teacher, "model.vocabulary": 200}, tmp_path / "other")
    with pytest.raises(SettingsError, match=r"distillation\.teacher = .*nowhere"):
        run({"distillation.teacher": tmp_path / "nowhere"}, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_teacher_of_other_patches_is_refused(
    run: Run, teacher: Path, catalogue: Catalogue, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """As many numbers a patch, and other ones."""
    changes = {"distillation.teacher": teacher, "images.fit": "pad"}
    extractor = build_extractor(make_settings(changes).images)
    store = write_store(catalogue, extractor, tmp_path / "features")
    with pytest.raises(SettingsError, match=r"its patch network is .*images settings must be the same"):
        run(changes, tmp_path / "other", extractor=extractor, store=store)


def test_heads_that_a_run_lacks_start_as_in_any_run(run: Run, tmp_path: Path) -> None:
    """Their temperature is that of the settings; what the run has keeps its own."""
    run({"model.late_interaction_size": 0, "contrastive.temperature": 0.3}, tmp_path / "former")
    changes = {"model.backbone": tmp_path / "former", "model.width": 128, "model.heads": 4}
    run({**changes, "contrastive.temperature": 0.1, "training.learning_rate": 1e-12})
    model = load_model(tmp_path / "run")
    assert model.vector_head is not None
    assert model.place_head is not None
    assert 1 / model.vector_head.scale.item() == pytest.approx(0.3, rel=0.02)
    assert 1 / model.place_head.scale.item() == pytest.approx(0.1, rel=0.02)
