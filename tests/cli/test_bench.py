"""``fashionbert bench`` at a size that takes no time."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fashionbert.cli.main import app
from fashionbert.errors import RunError, SearchIndexError, SettingsError

TINY = ["--layers", "2", "--width", "16", "--heads", "2", "--tokens", "4", "--candidates", "2", "--repetitions", "1"]


@pytest.mark.slow
def test_scoring_is_measured_and_written(tmp_path: Path) -> None:
    words = [*TINY, "--only", "fashionbert", "--only", "eager", "--out", str(tmp_path)]
    shown = CliRunner().invoke(app, ["bench", "scoring", *words], catch_exceptions=False)
    assert shown.exit_code == 0
    assert "% of the rate of the largest fp32 matrix product" in shown.output
    [path] = tmp_path.glob("*-scoring-*.json")
    result = json.loads(path.read_text())
    names = [each["name"] for each in result["contenders"]]
    assert names[0] == "fashionbert, layers joint"
    assert names[-1] == "transformers BERT, eager"
    assert all(each["median_seconds"] > 0 for each in result["contenders"])
    differences = {each["name"]: each["difference"] for each in result["contenders"] if each["same_as"]}
    assert differences.pop("fashionbert, layers joint, fast") < 0.1
    assert max(differences.values()) < 1e-5
    assert result["gemm"]["fp32"] > 1e9
    assert result["command"].startswith("fashionbert bench scoring --layers 2 --width 16")


def test_who_is_nobody_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"(?s)--only nobody names nobody.*OpenVINO"):
        CliRunner().invoke(app, ["bench", "scoring", *TINY, "--only", "nobody"], catch_exceptions=False)


@pytest.mark.slow
def test_search_is_measured_and_written(shop_index: Path, tmp_path: Path) -> None:
    words = [str(shop_index), "--queries", "2", "--cards", "2", "--cards", "100", "--repetitions", "1"]
    shown = CliRunner().invoke(app, ["bench", "search", *words, "--out", str(tmp_path)], catch_exceptions=False)
    assert shown.exit_code == 0
    assert "left out: re-rank 100: the index has 5 cards" in shown.output
    [path] = tmp_path.glob("*-query-*.json")
    result = json.loads(path.read_text())
    assert (
        result["command"] == "fashionbert bench search INDEX --queries 2 --cards 2 --cards 100 --seed 0 --repetitions 1"
    )
    assert result["model"]["num_hidden_layers"] == 2
    by_name = {each["name"]: each for each in result["contenders"]}
    assert by_name["vectors alone"]["difference"] < 1e-5
    assert all(len(each["seconds"]) == 2 for each in by_name.values() if "missing" not in each)


@pytest.mark.slow
def test_indexing_is_measured_and_written(shop_index: Path, tmp_path: Path) -> None:
    words = [str(shop_index.parent / "run"), "--count", "3", "--repetitions", "1", "--out", str(tmp_path)]
    shown = CliRunner().invoke(app, ["bench", "index", *words], catch_exceptions=False)
    assert shown.exit_code == 0
    [path] = tmp_path.glob("*-index-*.json")
    result = json.loads(path.read_text())
    assert result["command"] == "fashionbert bench index RUN --count 3 --repetitions 1"
    assert [each["units"] for each in result["contenders"]] == [3, 3, 3]
    assert result["contenders"][0]["difference"] < 2e-2


@pytest.mark.slow
def test_starts_are_measured_and_written(shop_index: Path, tmp_path: Path) -> None:
    words = [str(shop_index.parent / "run"), "--index", str(shop_index), "--repetitions", "1", "--out", str(tmp_path)]
    shown = CliRunner().invoke(app, ["bench", "start", *words], catch_exceptions=False)
    assert shown.exit_code == 0
    assert "left out" not in shown.output
    [path] = tmp_path.glob("*-start-*.json")
    result = json.loads(path.read_text())
    assert [each["name"] for each in result["contenders"]][-2:] == ["Scorer, first score", "index, first answer"]


def test_what_is_no_index_and_no_run_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(SearchIndexError, match="is no search index"):
        CliRunner().invoke(app, ["bench", "search", str(tmp_path)], catch_exceptions=False)
    for command in ("index", "start"):
        with pytest.raises(RunError, match="is no run folder"):
            CliRunner().invoke(app, ["bench", command, str(tmp_path)], catch_exceptions=False)


def test_the_model_of_no_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--model is the run folder of an index"):
        CliRunner().invoke(app, ["bench", "start", str(tmp_path), "--model", str(tmp_path)], catch_exceptions=False)
