from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from fashionbert.scoring import Scorer, read_figures, read_settings
from fashionbert.training.record import read_metrics

Command: TypeAlias = Callable[..., tuple[int, str, str]]


def test_a_run_folder_is_left(trained: Path) -> None:
    assert read_settings(trained).training.batch_size == 12
    lines = read_metrics(trained / "training" / "metrics.jsonl")
    assert lines[-1]["epoch"] == 2.0
    assert "validation.pair.text_to_image" in lines[-1]
    assert 0 <= read_figures(trained)["recall_at_1"] <= 1
    assert (trained / "training" / "curves.png").stat().st_size > 10_000
    assert Scorer.from_pretrained(trained).has_vectors


def test_the_same_command_goes_on_or_says_that_it_is_done(
    command: Command, trained: Path, world: Path, small_words: list[str]
) -> None:
    before = len(read_metrics(trained / "training" / "metrics.jsonl"))
    words = ["--catalogue", world, "--preset", "tiny", "--out", trained, "--device", "cpu", *small_words]
    code, _, said = command("train", *words)
    assert code == 0
    assert f"fashionbert evaluate {trained} --catalogue {world}" in " ".join(said.split())
    assert len(read_metrics(trained / "training" / "metrics.jsonl")) == before


def test_rows_set_aside_are_told(command: Command, trained: Path, flawed_world: Path, small_words: list[str]) -> None:
    words = ["--catalogue", flawed_world, "--preset", "tiny", "--out", trained, "--device", "cpu", *small_words]
    code, _, said = command("train", *words)
    assert code == 0
    assert "flawed: rows set aside or short of a picture: 1 " in said
    assert "1 x empty-text, for example train.csv row" in said
    assert "1 x no-picture, for example train.csv row" in said


def test_other_settings_for_the_same_folder(
    command: Command, trained: Path, world: Path, small_words: list[str]
) -> None:
    words = ["--catalogue", world, "--preset", "tiny", "--out", trained, *small_words]
    code, _, complaint = command("train", *words, "--set", "training.batch_size=24")
    assert code == 2
    assert "training.batch_size was 12, is now 24" in complaint


def test_another_patch_network_for_the_same_folder(
    command: Command, trained: Path, world: Path, small_words: list[str]
) -> None:
    words = ["--catalogue", world, "--preset", "tiny", "--out", trained, *small_words]
    code, _, complaint = command("train", *words, "--set", "images.fit=pad")
    assert code == 2
    assert "images.fit was 'stretch', is now 'pad'" in complaint


def test_no_features_are_made_for_a_run_that_cannot_start(command: Command, world: Path, tmp_path: Path) -> None:
    words = ["--catalogue", world, "--preset", "tiny", "--out", tmp_path / "run"]
    faulty = [f"model.backbone={tmp_path}", "training.trackers=[aim]"]
    code, _, complaint = command("train", *words, *(word for fault in faulty for word in ("--set", fault)))
    assert code == 2
    assert f"model.backbone = '{tmp_path}' cannot be loaded" in complaint
    assert "'aim' is not installed" in complaint
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("picture", [True, False])
def test_score(command: Command, trained: Path, world: Path, tmp_path: Path, picture: bool) -> None:
    pictures = sorted((world / "images").rglob("*-studio.jpg"))[:3]
    if not picture:
        (tmp_path / "broken.jpg").write_text("404")
        pictures.append(tmp_path / "broken.jpg")
    code, out, complaint = command("score", trained, "red linen dress", *pictures, "--device", "cpu")
    if picture:
        assert code == 0
        scores, paths = zip(*(line.split(maxsplit=1) for line in out.splitlines()), strict=True)
        assert list(scores) == sorted(scores, reverse=True)
        assert set(paths) == set(map(str, pictures))
    else:
        assert code == 2
        assert "broken.jpg" in complaint


def test_score_without_a_run(command: Command, tmp_path: Path) -> None:
    code, _, complaint = command("score", tmp_path / "none", "dress", tmp_path / "1.jpg")
    assert code == 2
    assert "name a run folder that `fashionbert train` wrote" in complaint
