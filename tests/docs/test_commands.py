"""Every command and every settings file that a page shows is one that the program takes."""

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from fashionbert.cli.main import app
from fashionbert.config import Settings, load_settings

from .conftest import ROOT, read_blocks

_COMMANDS = [
    pytest.param(line, id=f"{block.page}: {line[:60]}")
    for block in read_blocks("bash")
    for line in block.lines
    if line.startswith("fashionbert")
]
_YAML = [pytest.param(block.body, id=f"{block.page} {number}") for number, block in enumerate(read_blocks("yaml"))]


def words_after_options(words: list[str], option: str) -> Iterator[str]:
    return (value for name, value in itertools.pairwise(words) if name == option)


@pytest.mark.parametrize("line", _COMMANDS)
def test_the_command_line_is_understood(line: str) -> None:
    command, words = typer.main.get_command(app), shlex.split(line, comments=True)[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]  # pyright: ignore[reportAttributeAccessIssue]
    if words != ["--help"]:
        assert command.make_context(command.name or "", list(words)).command is command


@pytest.mark.parametrize("line", _COMMANDS)
def test_the_settings_on_the_command_line_exist(line: str) -> None:
    words = shlex.split(line, comments=True)
    presets = list(words_after_options(words, "--preset"))
    if words[1] == "distill":  # its settings are on top of a trained model's
        presets = ["fast"]
    settings = load_settings(presets[0] if presets else None, None, list(words_after_options(words, "--set")))
    assert isinstance(settings, Settings)


@pytest.mark.parametrize("text", _YAML)
def test_settings_files_are_valid(text: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text, "utf-8")
    assert load_settings("fast", file) != load_settings("fast")


def test_there_are_commands_and_settings_files_to_check() -> None:
    assert len(_COMMANDS) > 20
    assert len(_YAML) >= 3


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    lines = [line for block in read_blocks("bash") for line in block.lines if line.startswith("make ")]
    assert lines
    assert {line.split()[1] for line in lines} <= targets
