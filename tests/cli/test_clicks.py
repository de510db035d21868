"""``fashionbert clicks``: log, fine-tuning and report, as the shell calls them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

Command: TypeAlias = Callable[..., tuple[int, str, str]]
SMALL = [
    *("--set", "training.epochs=1", "--set", "training.batch_size=32", "--set", "training.learning_rate=1e-3"),
    *("--set", "clicks.max_query_tokens=8", "--set", "clicks.max_title_tokens=12", "--set", "evaluation.bootstrap=50"),
    *("--set", "training.precision=fp32", "--device", "cpu"),
]


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("clicks") / "run")


def test_from_a_catalogue_to_a_report(command: Command, world: Path, run: Path, tmp_path: Path) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "clicks"
    code, told, _ = command("clicks", "simulate", world, "--out", log, "--sessions", "200")
    assert code == 0
    assert "half of them clicks" in told
    code, told, _ = command("clicks", "train", log, "--catalogue", world, "--model", run, "--out", out, *SMALL)
    assert code == 0
    report = json.loads((out / "clicks.json").read_text())
    rows = len(log.read_text().splitlines()) - 1
    assert 0 < report["pairs"] < rows / 5
    assert 0 <= report["accuracy_interval"][0] <= report["accuracy"] <= report["accuracy_interval"][1] <= 1
    assert f"{report['pairs']:,} rows held out" in " ".join(told.split())
    words = ["--catalogue", world, "--out", tmp_path / "report", "--features", out / "training" / "features"]
    code, _, _ = command("clicks", "evaluate", out, log, *words, "--device", "cpu")
    assert code == 0
    assert json.loads((tmp_path / "report" / "clicks.json").read_text())["pairs"] == rows


def test_words_alone_need_no_features(command: Command, world: Path, run: Path, tmp_path: Path) -> None:
    command("clicks", "simulate", world, "--out", tmp_path / "log.parquet", "--sessions", "60")
    words = ["--catalogue", world, "--model", run, "--out", tmp_path / "clicks", "--set", "clicks.image=none"]
    code, _, _ = command("clicks", "train", tmp_path / "log.parquet", *words, *SMALL)
    assert code == 0
    assert not (tmp_path / "clicks" / "training" / "features").exists()
    assert not (tmp_path / "clicks" / "patch_extractor.json").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--property", "fabric=0.5"], "there is no column 'fabric'"),
        (["--property", "colour"], "is not of the form COLUMN=SHARE"),
        (["--property", "colour=1.5"], "a share is from 0 to 1"),
    ],
)
def test_logs_that_cannot_be_made(
    command: Command, world: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    code, _, complaint = command("clicks", "simulate", world, "--out", tmp_path / "log.csv", *words)
    assert code == 2
    assert message in complaint
    assert not (tmp_path / "log.csv").exists()


def test_a_log_with_faults_and_nothing_to_start_from(command: Command, world: Path, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("query,product_id,clicked\nred,,maybe\n")
    words = ["--catalogue", world, "--out", tmp_path / "clicks", *SMALL]
    code, _, complaint = command("clicks", "train", tmp_path / "log.csv", *words)
    assert code == 2
    assert "rows have no product_id: row 1" in complaint
    assert "such as 'maybe'" in complaint
    (tmp_path / "log.csv").write_text("query,product_id,clicked\nred,000007-1,1\nblue,000007-1,0\n")
    code, _, complaint = command("clicks", "train", tmp_path / "log.csv", *words)
    assert code == 2
    assert "name a run folder with --model" in complaint
