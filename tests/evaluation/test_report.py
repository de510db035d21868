import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashionbert.config import EvaluationSettings
from fashionbert.errors import PictureError
from fashionbert.evaluation.candidate_files import read_candidates
from fashionbert.evaluation.full import Rerank
from fashionbert.evaluation.gallery import Gallery
from fashionbert.evaluation.grids import Examples
from fashionbert.evaluation.report import build_report, write_report
from fashionbert.evaluation.run import Evaluation, evaluate
from fashionbert.evaluation.systems import System, vector_system

SETTINGS = EvaluationSettings(
    protocols=("subcategory-101", "full", "random-101"), queries=40, draws=2, seed=1, bootstrap=50
)


def noisy_systems(size: int) -> list[System]:
    rng = np.random.default_rng(0)
    items = rng.normal(size=(size, 8))
    texts, pictures = items + rng.normal(size=(2, size, 8))
    near = -np.square(items[:, None] - items + rng.normal(size=(size, size, 1))).sum(axis=2)
    probabilities = 1 / (1 + np.exp(-near - 10))
    pair = System(name="pair", score_pairs=lambda texts, pictures: probabilities[texts, pictures])
    return [pair, vector_system("vectors", texts, pictures)]


@pytest.fixture
def evaluation(large_gallery: Gallery) -> Evaluation:
    return evaluate(large_gallery, noisy_systems(400), SETTINGS, rerank=Rerank(first="vectors", second="pair", top=20))


def painted(index: int) -> Image.Image:
    if index % 7 == 0:
        raise PictureError("not-a-picture", "made for the test")
    return Image.new("RGB", (30, 20 + index % 30), (index % 255, 90, 120))


def test_the_promised_keys_are_there(evaluation: Evaluation) -> None:
    report = build_report(evaluation, {"commit": "abc", "model": {"name": "tiny"}})
    for direction in ("text_to_image", "image_to_text"):
        for name in ("recall_at_1", "recall_at_5", "recall_at_10"):
            low, high = report[direction][f"{name}_interval"]
            assert 0 <= low <= report[direction][name] <= high <= 1
        assert report[direction]["recall_at_all"] == 1.0
        assert report[direction]["chance"]["recall_at_1"] == pytest.approx(1 / 101)
        assert report["systems"]["vectors"][direction]["recall_at_10"] > 0.3
        low, high = report["difference"]["vectors"][direction]["recall_at_1_interval"]
        assert low <= high
        assert report["filled"][direction]["queries"] == 80
    for name in ("accuracy", "auc", "average_precision"):
        low, high = report["matching"][f"{name}_interval"]
        assert 0 <= low <= report["matching"][name] <= high <= 1
    assert report["protocol"] == "subcategory-101"
    assert report["system"] == "pair"
    assert report["systems"]["vectors"]["matching"]["accuracy"] is None
    assert [draw["seed"] for draw in report["draws"]] == [1, 2]
    assert list(report["protocols"]) == ["subcategory-101", "full", "random-101"]
    assert report["settings"]["queries"] == 40
    assert (report["commit"], report["model"]["name"]) == ("abc", "tiny")
    assert report["versions"]["numpy"] == np.__version__
    assert report["warnings"] == []


def test_the_mean_is_that_of_the_draws(evaluation: Evaluation) -> None:
    report = build_report(evaluation)
    for direction in ("text_to_image", "image_to_text"):
        for name in ("recall_at_1", "recall_at_5", "recall_at_10"):
            assert np.mean([draw[direction][name] for draw in report["draws"]]) == pytest.approx(
                report[direction][name]
            )


def test_full_reports_both_notions_of_right(evaluation: Evaluation) -> None:
    full = build_report(evaluation)["protocols"]["full"]
    assert full["system"] == "vectors then pair"
    assert list(full["systems"]) == ["vectors"]
    assert full["matching_system"] == "pair"
    for figures in (full, full["systems"]["vectors"]):
        assert figures["exact"]["text_to_image"]["recall_at_10"] <= figures["text_to_image"]["recall_at_10"]
        assert figures["exact"]["text_to_image"]["chance"]["recall_at_1"] == pytest.approx(1 / 400)


def test_same_evaluation_same_report(evaluation: Evaluation, large_gallery: Gallery) -> None:
    again = evaluate(large_gallery, noisy_systems(400), SETTINGS, rerank=Rerank(first="vectors", second="pair", top=20))
    assert build_report(again) == build_report(evaluation)


@pytest.mark.slow
def test_everything_is_written(tmp_path: Path, evaluation: Evaluation, large_gallery: Gallery) -> None:
    texts = [
        f"A $5 & <b>dress</b>_{n} 服装 in a very long description that has to be cut somewhere" for n in range(400)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = write_report(
            tmp_path, evaluation, {"commit": "abc"}, Examples(texts=texts, picture=painted), trec=True
        )
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == report
    pictures = sorted(path.name for path in tmp_path.glob("*.png"))
    assert pictures == [
        "examples_image_to_text.png",
        "examples_text_to_image.png",
        "recall_full.png",
        "recall_random-101.png",
        "recall_subcategory-101.png",
        "reliability.png",
    ]
    markdown = (tmp_path / "report.md").read_text("utf-8")
    for name in pictures:
        assert f"({name})" in markdown
        with Image.open(tmp_path / name) as picture:
            assert picture.width > 600
            assert len(picture.convert("L").getcolors() or []) > 20
    lists = sorted((tmp_path / "candidates").iterdir())
    assert len(lists) == 2 * 2 * 2
    assert len(read_candidates(lists[0], large_gallery).queries) == 40
    assert len(list((tmp_path / "trec").glob("*.run"))) == 2 * len(lists)


def test_files_of_an_earlier_report_go_and_the_users_stay(tmp_path: Path, large_gallery: Gallery) -> None:
    settings = SETTINGS.model_copy(update={"protocols": ("full",)})
    mine = ["dress.png", "recall_of_mine.png", "candidates/mine.jsonl", "trec/notes"]
    theirs = ["recall_random-101.png", "reliability.png", "candidates/random-101.text_to_image.seed3.jsonl"]
    theirs.append("trec/subcategory-101.image_to_text.seed0.qrels")
    for name in mine + theirs:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    write_report(tmp_path, evaluate(large_gallery, [noisy_systems(400)[1]], settings))
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*mine, "recall_full.png", "report.json", "report.md"}


def test_a_vector_system_alone_has_no_reliability_diagram(tmp_path: Path, large_gallery: Gallery) -> None:
    settings = SETTINGS.model_copy(update={"protocols": ("full",)})
    report = write_report(tmp_path, evaluate(large_gallery, [noisy_systems(400)[1]], settings))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recall_full.png", "report.json", "report.md"]
    assert report["matching"]["accuracy"] is None


def test_the_markdown_says_what_was_measured(tmp_path: Path, evaluation: Evaluation) -> None:
    lost = {"left_out": 3, "set_aside": {"empty-text": 2, "duplicate-id": 1}}
    report = write_report(tmp_path, evaluation, {"commit": "abc", **lost})
    text = (tmp_path / "report.md").read_text("utf-8")
    found = report["text_to_image"]
    low, high = (100 * end for end in found["recall_at_1_interval"])
    assert f"| text → image | pair | **{100 * found['recall_at_1']:.1f}** ({low:.1f}–{high:.1f}) |" in text
    assert "| *chance* | 1.0 | 5.0 | 9.9 |" in text
    assert "commit: `abc`" in text
    assert "came from the wider category" in text
    assert "every list is filled as the protocol asks" in text
    assert "left out for want of a usable picture: 3." in text
    assert "set aside, or pictures of them: 2 x empty-text, 1 x duplicate-id." in text
    assert "WARNING" not in text


def test_missed_queries_are_shouted(tmp_path: Path, large_gallery: Gallery) -> None:
    def score(texts: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        return np.where((texts == pictures) & (texts % 4 == 0), np.nan, 0.5)

    report = write_report(
        tmp_path,
        evaluate(
            large_gallery,
            [System(name="pair", score_pairs=score)],
            SETTINGS.model_copy(update={"protocols": ("random-101",)}),
        ),
    )
    assert report["text_to_image"]["recall_at_all"] < 1
    retrieval, _, matching = report["warnings"]
    assert "random-101, text → image, pair: R@all is" in retrieval
    assert "not 100 %" in retrieval
    assert matching == "random-101, matching, pair: 100 pairs got no score and count as wrong."
    text = (tmp_path / "report.md").read_text("utf-8")
    assert text.index("[!WARNING]") < text.index("## random-101")
