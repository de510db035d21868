"""The page on files describes what a run really leaves."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fashionbert.interop import read_scores

from .conftest import read_blocks

JSON = dict(
    zip(("metrics", "report", "scores", "candidates"), (block.body for block in read_blocks("json")), strict=True)
)
TREES = {block.lines[0].rstrip("/"): block for block in read_blocks("text") if block.page == "docs/reference/files.md"}


def shape_faults(shown: Any, real: Any, place: str = "") -> list[str]:
    """Where an example has a key or a kind of value that the real thing has not."""
    if isinstance(shown, dict) and isinstance(real, dict):
        missing = [f"{place}.{key} is not there" for key in shown.keys() - real.keys()]
        return missing + [
            f for key in shown.keys() & real.keys() for f in shape_faults(shown[key], real[key], f"{place}.{key}")
        ]
    if isinstance(shown, list) and isinstance(real, list):
        return [fault for one in shown for fault in shape_faults(one, real[0], f"{place}[0]")] if real else []
    numbers = all(isinstance(value, int | float) for value in (shown, real))
    return (
        []
        if type(shown) is type(real) or numbers
        else [f"{place} is {type(real).__name__}, not {type(shown).__name__}"]
    )


@pytest.mark.slow
def test_the_report_has_the_keys_of_the_page(demo: Path) -> None:
    report = json.loads((demo / "demo/report/report.json").read_text("utf-8"))
    shown = json.loads(JSON["report"])
    assert shape_faults(shown, report) == []
    assert report.keys() == shown.keys()
    assert shown["text_to_image"].keys() == report["text_to_image"].keys()


def test_a_fault_of_the_example_would_be_found() -> None:
    assert shape_faults({"a": [{"b": 1}]}, {"a": [{"b": "x"}]}) == [".a[0].b is str, not int"]
    assert shape_faults({"a": 1}, {}) == [".a is not there"]


@pytest.mark.slow
def test_metrics_and_candidate_lines_have_the_keys_of_the_page(demo: Path) -> None:
    metrics = (demo / "demo/run/training/metrics.jsonl").read_text("utf-8").splitlines()
    assert json.loads(JSON["metrics"]).keys() == json.loads(metrics[-2]).keys()
    file = demo / "demo/report/candidates/subcategory-101.text_to_image.seed0.jsonl"
    for shown, real in zip(JSON["candidates"].splitlines(), file.read_text("utf-8").splitlines(), strict=False):
        assert json.loads(shown).keys() == json.loads(real).keys()


@pytest.mark.slow
@pytest.mark.parametrize(("tree", "folder"), [("RUN", "run"), ("REPORT", "report"), ("STORE", "run/training/features")])
def test_the_page_names_exactly_what_a_run_leaves(tree: str, folder: str, demo: Path) -> None:
    named, parent = set(), ""
    for line in TREES[tree].lines[1:]:
        name = line.split()[0]
        inside = line.startswith("    ")
        named.add(f"{parent}{name}" if inside else name)
        parent = parent if inside else name
    optional = {"patch_network.safetensors"}
    root = demo / "demo" / folder
    there = [path for path in root.iterdir() if path.name != "training"]
    there += list((root / "training").iterdir()) if (root / "training").exists() else []
    found = {f"{path.relative_to(root).as_posix()}{'/' if path.is_dir() else ''}" for path in there}
    generic = {re.sub(r"recall_[\w-]+\.png", "recall_subcategory-101.png", name) for name in found}
    assert {name for name in named if name != "training/"} - optional == generic


def test_scores_of_pair_files_have_the_keys_of_the_page(tmp_path: Path) -> None:
    """What the page shows is what ``read_scores`` takes."""
    (tmp_path / "scores.jsonl").write_text(JSON["scores"], "utf-8")
    scored = read_scores(tmp_path / "scores.jsonl")
    assert (scored.queries, scored.candidates, scored.labels.tolist()) == (("1057",), ("22093",), [False])
    assert scored.logits.tolist() == [[0.181, 0.281]]
