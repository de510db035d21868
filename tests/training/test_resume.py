"""A run that is killed and goes on is the run that was never killed, to the last bit."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
from safetensors.torch import load_file

from fashionbert.config import Settings, settings_to_yaml
from fashionbert.images.store import FeatureStore
from fashionbert.scoring import read_figures
from fashionbert.training.checkpoint import Progress
from fashionbert.training.record import read_metrics

Run: TypeAlias = Callable[..., Progress]
CHANGES = {
    "training.epochs": 2,
    "training.contrastive_epochs": 0.5,
    "training.validate_every": 0.5,
}
"""About six steps an epoch; dropout is on, queue and bank fill, both stages and several validations happen."""


def lines_of(folder: Path) -> list[dict[str, Any]]:
    lines = read_metrics(folder / "training" / "metrics.jsonl")
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.mark.slow
def test_resume_after_kill_in_the_middle_of_an_epoch(
    run: Run, make_settings: Callable[..., Settings], world: Path, store: FeatureStore, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    progress = run(CHANGES, whole)
    (tmp_path / "settings.yaml").write_text(settings_to_yaml(make_settings(CHANGES)))
    died_at = progress.step // 2 + 2
    words = [world, store.folder, killed, tmp_path / "settings.yaml", died_at]
    ended = subprocess.run(
        [sys.executable, Path(__file__).with_name("killed_run.py"), *map(str, words)], capture_output=True, check=False
    )
    assert ended.returncode == -9, ended.stderr.decode()
    assert lines_of(killed)[-1]["step"] == died_at
    assert [path.name for path in (killed / "training").glob("checkpoint-*")] == [f"checkpoint-{died_at - 1:08d}"]
    assert run(CHANGES, killed) == progress
    assert lines_of(killed) == lines_of(whole)
    assert read_figures(killed) == read_figures(whole)
    weights, expected = load_file(killed / "model.safetensors"), load_file(whole / "model.safetensors")
    assert all(torch.equal(weights[name], value) for name, value in expected.items())


def test_two_runs_are_the_same_and_another_seed_is_not(run: Run, tmp_path: Path) -> None:
    changes = {"training.epochs": 0.5, "training.validate_every": 9}
    for name in ("first", "second"):
        run(changes, tmp_path / name)
    run({**changes, "training.seed": 6}, tmp_path / "other")
    assert lines_of(tmp_path / "first") == lines_of(tmp_path / "second")
    assert lines_of(tmp_path / "first")[0]["loss"] != lines_of(tmp_path / "other")[0]["loss"]
