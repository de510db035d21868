"""``fashionbert evaluate --pairs`` with a checkpoint and rows in the authors' format."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

Command: TypeAlias = Callable[..., tuple[int, str, str]]
SCHEMA = (
    "image_feature:float:6144,image_mask:int:64,input_ids:int:32,input_mask:int:32,segment_ids:int:32,"
    "nx_sent_labels:int:1,prod_desc:str:1,text_prod_id:str:1,image_prod_id:str:1,prod_img_id:str:1"
)


@pytest.fixture(scope="module")
def theirs(shared: Path) -> Path:
    return shared / "parity" / "easytransfer_tiny"


@pytest.fixture
def case(theirs: Path) -> dict[str, Any]:
    with np.load(theirs / "case.npz") as arrays:
        return dict(arrays)


@pytest.fixture
def files(case: dict[str, Any], tmp_path: Path) -> list[Path]:
    """Their six pairs in two files, all of one picture."""
    names = ("image_feature", "image_mask", "input_ids", "input_mask", "segment_ids", "nx_sent_labels")
    lines = [
        "\t".join(",".join(map(str, np.atleast_1d(case[name][row]).ravel())) for name in names)
        + f"\ta dress\ttext-{row}\tproduct\tproduct_1\n"
        for row in range(6)
    ]
    paths = [tmp_path / "part-0.tsv", tmp_path / "part-1.tsv"]
    paths[0].write_text("".join(lines[:4]))
    paths[1].write_text("".join(lines[4:]))
    return paths


@pytest.mark.shared
def test_their_rows_get_their_scores(
    command: Command, theirs: Path, files: list[Path], case: dict[str, Any], tmp_path: Path
) -> None:
    command("convert", "easytransfer", theirs, tmp_path / "model")
    out = tmp_path / "report"
    words = ["evaluate", tmp_path / "model", "--pairs", *files, "--direction", "image-to-text", "--out", out]
    code, printed, _ = command(*words, "--schema", SCHEMA)
    assert code == 0
    assert "matching, 6 rows" in printed
    lines = [json.loads(line) for line in (out / "scores.jsonl").read_text().splitlines()]
    assert [line["candidate"] for line in lines] == [f"text-{row}" for row in range(6)]
    assert {line["query"] for line in lines} == {"product"}
    logits = case["predict_nsp_logits"]
    np.testing.assert_allclose([line["logits"] for line in lines], logits, atol=1e-4)
    report = json.loads((out / "report.json").read_text())
    labels = case["nx_sent_labels"] == 1
    assert [line["label"] for line in lines] == labels.astype(int).tolist()
    assert report["matching"]["accuracy"] == pytest.approx(((logits.argmax(axis=1) == 1) == labels).mean())
    margins = logits[:, 1] - logits[:, 0]
    best = 1 + (margins[~labels] >= margins[labels].max()).sum()
    assert report["image_to_text"]["mrr"] == pytest.approx(1 / best)
    assert report["image_to_text"]["queries"] == 1

    raw = logits[:, 1]
    code, _, _ = command(*words, "--schema", SCHEMA, "--score", "logit1")
    report = json.loads((out / "report.json").read_text())
    assert report["score"] == "logit1"
    assert report["image_to_text"]["mrr"] == pytest.approx(1 / (1 + (raw[~labels] >= raw[labels].max()).sum()))


def test_options_that_do_not_go_together(command: Command, tmp_path: Path) -> None:
    code, _, complaint = command("evaluate", tmp_path, "--pairs", tmp_path / "a", "--out", tmp_path, "--trec")
    assert code == 2
    assert complaint.splitlines() == [
        "error: the options do not go together",
        "  - --trec does not go with --pairs",
        "  - --pairs needs --direction image-to-text or --direction text-to-image",
    ]
    code, _, complaint = command("evaluate", tmp_path, "--out", tmp_path, "--score", "logit1")
    assert code == 2
    assert complaint.splitlines()[1:] == [
        "  - name what to measure on: --catalogue PATH, or --pairs FILE with --direction",
        "  - --score needs --pairs",
    ]


def test_a_schema_that_cannot_be_read(command: Command, tmp_path: Path) -> None:
    words = ["--pairs", tmp_path / "a", "--direction", "image-to-text", "--out", tmp_path / "out"]
    code, _, complaint = command("evaluate", tmp_path, *words, "--schema", "image_feature:double:3")
    assert code == 2
    assert "'image_feature:double:3' is not of the form name:kind:length" in complaint
    assert not (tmp_path / "out").exists()
