"""Several processes train one model, and one process several models."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from fashionbert import Scorer
from fashionbert.config import Settings, settings_to_yaml
from fashionbert.images.store import FeatureStore
from fashionbert.training.checkpoint import Progress
from fashionbert.training.record import read_metrics

Run: TypeAlias = Callable[..., Progress]


def launch(world: Path, settings: Path, out: Path) -> "subprocess.CompletedProcess[str]":
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "--no-python"]
    command = [sys.executable, "-m", "fashionbert", "train", "--catalogue", str(world), "--out", str(out)]
    return subprocess.run(
        [sys.executable, *words, *command, "--config", str(settings), "--device", "cpu"],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_two_processes_share_the_batches_and_leave_one_run(
    make_settings: Callable[..., Settings], world: Path, tmp_path: Path
) -> None:
    """Half as many steps an epoch, features made once, and the run goes on after it has been stopped."""
    changes = {"training.epochs": 1, "training.contrastive_epochs": 0.4, "training.validate_every": 0.5}
    settings, out = tmp_path / "settings.yaml", tmp_path / "run"
    settings.write_text(settings_to_yaml(make_settings(changes)))
    done = launch(world, settings, out)
    assert done.returncode == 0, done.stderr
    steps = [line for line in read_metrics(out / "training/metrics.jsonl") if "loss" in line]
    views = FeatureStore.open(out / "training/features").manifest["counts"]["pictures"]
    assert [line["step"] for line in steps] == list(range(1, len(steps) + 1))
    assert 2 <= len(steps) <= views / make_settings(changes).training.batch_size / 2
    assert max(line["products"] for line in steps) == 2 * make_settings(changes).training.batch_size
    assert any("loss.alignment" in line for line in steps)
    assert Scorer.from_pretrained(out).has_vectors
    again = launch(world, settings, out)
    assert again.returncode == 0, again.stderr
    assert [line for line in read_metrics(out / "training/metrics.jsonl") if "loss" in line] == steps


@pytest.mark.slow
def test_two_processes_learn_the_weights_of_the_tasks(
    make_settings: Callable[..., Settings], world: Path, tmp_path: Path
) -> None:
    settings, out = tmp_path / "settings.yaml", tmp_path / "run"
    changes = {"objectives.weights": "uncertainty", "training.epochs": 0.7, "training.contrastive_epochs": 0.3}
    settings.write_text(settings_to_yaml(make_settings(changes)))
    done = launch(world, settings, out)
    assert done.returncode == 0, done.stderr
    tasks = [
        [name for name in line if name.startswith("weight.")] for line in read_metrics(out / "training/metrics.jsonl")
    ]
    assert [len(names) for names in tasks if names] == [1, 4]


def test_runs_of_two_precisions_in_one_process(run: Run, tmp_path: Path) -> None:
    losses = {}
    for precision in ("bf16", "fp32", "bf16"):
        out = tmp_path / f"{precision}{len(losses)}"
        run({"training.precision": precision, "training.validate_every": 9}, out)
        losses.setdefault(precision, []).append(read_metrics(out / "training/metrics.jsonl")[0]["loss"])
    assert losses["bf16"][0] == losses["bf16"][1] != losses["fp32"][0]
    assert losses["bf16"][0] == pytest.approx(losses["fp32"][0], rel=0.05)
