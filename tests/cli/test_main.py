from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
import typer
from safetensors import SafetensorError

from fashionbert.cli import main as main_module

Command: TypeAlias = Callable[..., tuple[int, str, str]]


def test_help_names_every_command(command: Command) -> None:
    code, out, _ = command("--help")
    assert code == 0
    for name in ("catalogue", "features", "train", "evaluate", "score"):
        assert name in out


@pytest.mark.parametrize("name", ["train", "evaluate", "score", "features"])
def test_every_command_explains_itself(command: Command, name: str) -> None:
    code, out, _ = command(name, "--help")
    assert code == 0
    assert "Usage" in out


def test_an_unknown_option(command: Command, tmp_path: Path) -> None:
    code, _, complaint = command("train", "--catalogue", tmp_path, "--out", tmp_path / "run", "--colour", "red")
    assert code == 2
    assert "--colour" in complaint


def test_all_faults_of_the_settings_and_no_traceback(command: Command, world: Path, tmp_path: Path) -> None:
    wrong = ["training.epoch=3", "training.batch_size=many", "model.dropout=2"]
    words = [word for setting in wrong for word in ("--set", setting)]
    code, out, complaint = command("train", "--catalogue", world, "--preset", "tiny", "--out", tmp_path / "run", *words)
    assert code == 2
    assert complaint.startswith("error: 3 faults in the settings\n")
    assert "training.epoch = 3: there is no such setting; did you mean 'epochs'?" in complaint
    assert "training.batch_size = 'many'" in complaint
    assert "model.dropout = 2" in complaint
    assert "Traceback" not in out + complaint
    assert not (tmp_path / "run").exists()


def test_an_unknown_preset(command: Command, world: Path, tmp_path: Path) -> None:
    code, _, complaint = command("train", "--catalogue", world, "--preset", "fats", "--out", tmp_path / "run")
    assert code == 2
    assert complaint == "error: unknown preset 'fats'\n  - known presets: paper, released, fast, tiny, clicks\n"


def test_missing_columns(command: Command, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("sku,colour\n1,red\n")
    code, _, complaint = command("train", "--catalogue", tmp_path, "--preset", "tiny", "--out", tmp_path / "run")
    assert code == 2
    assert complaint.startswith("error: ")
    for name in ("text", "image"):
        assert f"no column for {name}" in complaint


def test_no_catalogue_there(command: Command, tmp_path: Path) -> None:
    code, _, complaint = command(
        "train", "--catalogue", tmp_path / "shop", "--preset", "tiny", "--out", tmp_path / "run"
    )
    assert code == 2
    assert f"there is no file or folder '{tmp_path / 'shop'}'" in complaint


@pytest.mark.parametrize("name", ["train", "evaluate", "score"])
def test_a_device_that_is_not_there(command: Command, world: Path, trained: Path, tmp_path: Path, name: str) -> None:
    words = {
        "train": ["--catalogue", world, "--preset", "tiny", "--out", tmp_path / "run"],
        "evaluate": [trained, "--catalogue", world, "--out", tmp_path / "report"],
        "score": [trained, "dress", tmp_path / "1.jpg"],
    }[name]
    code, _, complaint = command(name, *words, "--device", "abacus")
    assert code == 2
    assert "--device 'abacus' cannot be used" in complaint
    assert "try --device auto" in complaint


def let_commands_raise(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Put a command line in place of ours whose only command raises the error."""
    raising = typer.Typer(pretty_exceptions_enable=False)

    @raising.command()
    def work() -> None:
        raise error

    monkeypatch.setattr(main_module, "app", raising)


def test_control_c_says_how_to_go_on(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    let_commands_raise(monkeypatch, KeyboardInterrupt())
    code, _, complaint = command()
    assert code == 130
    assert "stopped; run the same command again to go on" in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize(
    "full",
    [
        OSError(28, "No space left on device", "part-00003.npy"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_says_how_to_go_on(command: Command, monkeypatch: pytest.MonkeyPatch, full: Exception) -> None:
    let_commands_raise(monkeypatch, full)
    code, _, complaint = command()
    assert code == 1
    assert "the disk is full" in complaint
    assert "run the same command again" in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize("below", ["", "run"])
@pytest.mark.parametrize("name", ["train", "evaluate", "features", "synthetic"])
def test_a_file_where_the_output_should_be(
    command: Command, world: Path, trained: Path, tmp_path: Path, name: str, below: str
) -> None:
    (tmp_path / "file").write_text("mine")
    out = tmp_path / "file" / below
    words = {
        "train": ["train", "--catalogue", world, "--preset", "tiny", "--out", out],
        "evaluate": ["evaluate", trained, "--catalogue", world, "--out", out],
        "features": ["features", world, "--preset", "tiny", "--out", out],
        "synthetic": ["catalogue", "synthetic", out, "--groups", "20"],
    }[name]
    code, _, complaint = command(*words)
    assert code == 2
    assert f"error: {tmp_path / 'file'}" in complaint
    assert "name another place, or move the file away" in complaint
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "/a"), OSError(30, "Read-only", "/a")])
def test_an_unwritable_place(command: Command, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    let_commands_raise(monkeypatch, error)
    assert command()[::2] == (
        2,
        f"error: /a: {error.strerror}; name a place that you may read and write, or have its permissions changed\n",
    )


def test_the_demo_refuses_another_shop(command: Command, tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    (tmp_path / "world" / "world.json").write_text('{"groups": 300, "seed": 4}')
    code, _, complaint = command("demo", "--out", tmp_path, "--groups", "200", "--seed", "4")
    assert code == 2
    assert "--groups 200, but it was drawn with 300" in complaint
