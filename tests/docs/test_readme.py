"""The README: its order, its example, its file tree."""

import re
from pathlib import Path

import pytest

from .conftest import ROOT, read_blocks

README = (ROOT / "README.md").read_text("utf-8")


def test_the_order_is_sentence_table_commands_example_tree() -> None:
    marks = ["An open FashionBERT".lower(), "subcategory-101", "```bash", "```python", "```text", "## Read on"]
    places = [README.lower().find(mark.lower()) for mark in marks]
    assert -1 not in places
    assert places == sorted(places)
    assert all(command in README for command in ("make demo", "make test", "pip install ."))


@pytest.mark.slow
def test_the_example_runs(demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = [block for block in read_blocks("python") if block.page == "README.md"]
    assert len(example.body.splitlines()) <= 12
    monkeypatch.chdir(demo)
    capsys.readouterr()
    exec(compile(example.body, "README.md", "exec"), {})
    probabilities, *ranked = capsys.readouterr().out.splitlines()
    assert len(re.findall(r"0\.\d+", probabilities)) == 3
    scores = [float(line.split()[0]) for line in ranked]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert all((demo / line.split()[1]).is_file() for line in ranked)


def test_the_tree_has_every_part() -> None:
    (tree,) = [block for block in read_blocks("text") if block.page == "README.md"]
    named = {word for line in tree.lines[1:] for word in line.split("  ")[1].split()}
    source = ROOT / "src/fashionbert"
    there = {f"{part.name}/" for part in source.iterdir() if part.is_dir() and part.name != "__pycache__"}
    assert {name for name in named if name.endswith("/")} == there
    assert all((source / name).exists() for name in named)
