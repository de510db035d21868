"""Tests that need data say so, and nothing in the tree names the machine it was written on."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXTS = {".py", ".md", ".toml", ".yaml", ".yml", ".cff", ".txt", ".html", ".js", ".css", ""}


def tracked() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a checkout")
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file() and Path(name).suffix in TEXTS]


def test_no_path_of_a_machine() -> None:
    private = re.compile(r"(?<![\w.])/(?:home|Users|root|mnt|srv)/\w+")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        for match in private.finditer(path.read_text("utf-8"))
    ]
    assert found == []


def test_no_large_file_is_kept() -> None:
    assert [str(path) for path in tracked() if path.stat().st_size > 1_000_000] == []
