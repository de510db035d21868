"""A run that the command line trained: 60 synthetic groups, one layer, some seconds."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from fashionbert.cli.main import main

Command: TypeAlias = Callable[..., tuple[int, str, str]]

SMALL = {
    "images.grid": 4,
    "images.height": 16,
    "images.width": 16,
    "images.cell_size": 4,
    "model.vocabulary": 300,
    "model.layers": 1,
    "model.split_layers": 0,
    "model.width": 32,
    "model.heads": 2,
    "model.contrastive_size": 16,
    "model.bank_size": 20,
    "contrastive.queue": 24,
    "training.batch_size": 12,
    "training.cluster_size": 3,
    "training.epochs": 2,
    "training.contrastive_epochs": 1,
    "training.validate_every": 1,
    "training.validation_queries": 10,
    "evaluation.queries": 10,
    "evaluation.draws": 2,
    "evaluation.bootstrap": 50,
}


@pytest.fixture(scope="session")
def small_words() -> list[str]:
    return [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Call ``fashionbert`` as the shell does; gives the exit code, what it printed, and what it complained about."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fashionbert", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return call


@pytest.fixture
def flawed_world(world: Path, tmp_path: Path) -> Path:
    """The shop with a row more that has an id and nothing else."""
    folder = shutil.copytree(world, tmp_path / "flawed")
    with (folder / "train.csv").open("a", encoding="utf-8") as table:
        columns = (folder / "train.csv").read_text("utf-8").partition("\n")[0].count(",")
        table.write("bare" + "," * columns + "\n")
    return folder


@pytest.fixture(scope="session")
def trained(world: Path, small_words: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of the preset ``tiny``, made smaller still."""
    out = tmp_path_factory.mktemp("trained") / "run"
    words = ["train", "--catalogue", world, "--preset", "tiny", "--out", out, "--device", "cpu", *small_words]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["fashionbert", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
    return out
