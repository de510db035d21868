"""The reference pages say what the program says."""

import re
from types import ModuleType

import pytest
from typer.testing import CliRunner

from fashionbert.cli.main import app
from fashionbert.config import Settings

from .conftest import DOCS


@pytest.mark.parametrize("page", ["cli.md", "settings.md", "openapi.json"])
def test_the_page_is_what_the_program_says(page: str, generator: ModuleType) -> None:
    written = (DOCS / "reference" / page).read_text("utf-8")
    assert written == generator.PAGES[page](), "run: python docs/generate.py"


def plain(text: str) -> str:
    """Letters and digits alone: help is wrapped and drawn otherwise with every width and version."""
    return re.sub(r"[\W_]+", "", text)


def test_help_has_every_parameter_of_the_page(generator: ModuleType) -> None:
    found = list(generator.commands(app, "fashionbert"))
    assert len(found) >= 7
    for words, function in found:
        result = CliRunner().invoke(app, [*words.split()[1:], "--help"])
        assert result.exit_code == 0, words
        for spelling, _, meaning in generator.parameters(function):
            name = spelling.split()[0]
            assert plain(name).lower() in plain(result.output).lower(), f"{words} {name}"
            assert plain(meaning) in plain(result.output), f"{words} {name}"


def test_every_setting_has_a_row_with_words(generator: ModuleType) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| `(.*?)` \| (.+) \|$", generator.settings_page(), re.MULTILINE)
    fields = [name for part in Settings.model_fields.values() for name in part.annotation.model_fields]  # pyright: ignore[reportOptionalMemberAccess,reportAttributeAccessIssue]
    assert [name for name, _, _, _ in rows] == fields


def test_types_are_told_with_their_bounds(generator: ModuleType) -> None:
    page = generator.settings_page()
    assert "| `validation_share` | number ≥ 0, ≤ 1 | `0.1` |" in page
    assert "| `dropout` | number ≥ 0, < 1 | `0.1` |" in page
    assert "| `layers` | whole number ≥ 1 or null | `null` |" in page
    assert "| `fit` | `stretch` or `pad` | `stretch` |" in page
    assert "| `training.learning_rate` | `2.0e-05` | `0.0001` |" in page
