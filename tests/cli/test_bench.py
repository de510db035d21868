"""``fashionbert bench`` at a size that takes no time."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fashionbert.cli.main import app
from fashionbert.errors import SettingsError

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
    assert names[0] == "fashionbert, all layers joint"
    assert names[-1] == "transformers BERT, eager"
    assert all(each["median_seconds"] > 0 for each in result["contenders"])
    assert max(each["difference"] for each in result["contenders"] if each["same_as"]) < 1e-5
    assert result["gemm"]["fp32"] > 1e9
    assert result["command"].startswith("fashionbert bench scoring --layers 2 --width 16")


def test_who_is_nobody_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"(?s)--only nobody names nobody.*OpenVINO"):
        CliRunner().invoke(app, ["bench", "scoring", *TINY, "--only", "nobody"], catch_exceptions=False)
