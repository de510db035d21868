"""Whose commit a figure is of."""

import subprocess
from pathlib import Path

import pytest

from fashionbert import provenance


def repository(folder: Path) -> str:
    """Make a repository with one commit and return it."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return found.stdout.strip()


@pytest.mark.parametrize(("place", "ours"), [("src/fashionbert", True), (".venv/lib/fashionbert", False)])
def test_only_our_own_repository_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, ours: bool
) -> None:
    package = tmp_path / place
    package.mkdir(parents=True)
    (package / "provenance.py").touch()
    commit = repository(tmp_path)
    monkeypatch.setattr(provenance, "__file__", str(package / "provenance.py"))
    assert (provenance.commit() or "") == (commit[:7] if ours else "")
