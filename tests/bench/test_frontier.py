"""Quality against latency: recall by hand, the same as evaluation gives, and which point is taken."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fashionbert.bench.frontier import Point, measure_points, recommended
from fashionbert.catalogue import open_catalogue
from fashionbert.cli.main import app
from fashionbert.data import build_examples
from fashionbert.errors import SettingsError
from fashionbert.evaluation.full import rank_full, rank_two_stage
from fashionbert.evaluation.gallery import gallery_of
from fashionbert.evaluation.model import PAIR, VECTORS, model_systems
from fashionbert.evaluation.ranking import recall_at
from fashionbert.scoring import Scorer
from fashionbert.search.advice import advised


def point(recall: float, milliseconds: float, cards: int = 0) -> Point:
    interval = (recall - 0.02, recall + 0.02)
    return Point(
        run="run",
        speed="exact",
        numbers="fp32",
        cards=cards,
        recall=recall,
        interval=interval,
        milliseconds=milliseconds,
    )


POINTS = [point(0.40, 3.0), point(0.405, 2.0, 5), point(0.42, 9.0, 10), point(0.425, 20.0, 50), point(0.425, 40.0, 100)]


@pytest.mark.parametrize(("within", "milliseconds"), [(0.0, 20.0), (0.005, 9.0), (0.02, 2.0), (1.0, 2.0)])
def test_the_fastest_of_those_that_are_good_enough(within: float, milliseconds: float) -> None:
    assert recommended(POINTS, within).milliseconds == milliseconds


def test_exactly_one_point_below_is_not_more_than_one() -> None:
    assert recommended([point(0.07, 2.0), point(0.06, 1.0)]).milliseconds == 1.0


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("frontier") / "run", split_layers=1)


def test_recall_is_that_of_the_evaluation(
    run: Path, world: Path, make_features: Callable[..., object], tmp_path: Path
) -> None:
    products = open_catalogue(world).split("validation")
    scorer = Scorer.from_pretrained(run)
    features = make_features(products.column("product_id"), size=12)
    examples = build_examples(
        products,
        features,  # pyright: ignore[reportArgumentType]
        scorer.processor.tokenizer,
        max_tokens=scorer.processor.max_text_tokens,
        all_pictures=False,
    )
    gallery, texts = gallery_of(products), products.column("text")
    found = measure_points("run", "exact", scorer, examples, gallery, texts, [0, 3, 10_000])
    by_name = {system.name: system for system in model_systems(scorer, examples, tmp_path, "key")}
    expected = [
        rank_full(gallery, by_name[VECTORS])["full", "text_to_image"],
        *(
            rank_two_stage(gallery, by_name[VECTORS], by_name[PAIR], top)["full", "text_to_image"]
            for top in (3, len(gallery))
        ),
    ]
    assert [each.recall for each in found] == [recall_at(ranks, 1) for ranks in expected]
    assert [each.cards for each in found] == [0, 3, 10_000]
    for each in found:
        assert each.interval[0] <= each.recall <= each.interval[1]
        assert each.milliseconds > 0


def test_a_model_without_vectors_has_none(make_run: Callable[..., Path], tmp_path: Path) -> None:
    scorer = Scorer.from_pretrained(make_run(tmp_path / "run", contrastive_size=0))
    with pytest.raises(SettingsError, match="there is no frontier"):
        measure_points("run", "exact", scorer, None, None, [], [0])  # pyright: ignore[reportArgumentType]


def test_all_that_cannot_be_measured_are_named_before_anything_is(
    run: Path, make_run: Callable[..., Path], world: Path, tmp_path: Path
) -> None:
    without = make_run(tmp_path / "without", contrastive_size=0)
    words = [str(run), str(without), "--catalogue", str(world), "--out", str(tmp_path / "out")]
    with pytest.raises(SettingsError, match="without: it needs a model with vectors"):
        CliRunner().invoke(app, ["bench", "frontier", *words], catch_exceptions=False)
    assert not (tmp_path / "out").exists()


def test_some_of_the_speeds(run: Path, world: Path, tmp_path: Path) -> None:
    words = [str(run), "--catalogue", str(world), "--out", str(tmp_path), "--cards", "2"]
    CliRunner().invoke(app, ["bench", "frontier", *words, "--speed", "exact"], catch_exceptions=False)
    found = json.loads((tmp_path / "frontier.json").read_text())
    assert [each["speed"] for each in found["points"]] == ["exact"]
    with pytest.raises(SettingsError, match="--speed slow should be one of exact, fast, split"):
        CliRunner().invoke(app, ["bench", "frontier", *words, "--speed", "slow"], catch_exceptions=False)


def test_the_command_writes_what_it_found_and_advises(run: Path, world: Path, tmp_path: Path) -> None:
    words = [str(run), "--catalogue", str(world), "--out", str(tmp_path), "--cards", "0", "--cards", "2"]
    shown = CliRunner().invoke(app, ["bench", "frontier", *words], catch_exceptions=False)
    assert shown.exit_code == 0, shown.output
    assert "recommended" in shown.output
    found = json.loads((tmp_path / "frontier.json").read_text())
    assert {"date", "commit", "hardware", "versions"} <= found.keys()
    assert {each["cards"] for each in found["points"]} == {0, 2}
    assert (tmp_path / "frontier.png").read_bytes()[:4] == b"\x89PNG"
    assert {each["speed"] for each in found["points"]} <= {"exact", "fast"}
    best = found["recommended"]
    assert (advised(run).cards, advised(run).speed) == (best["cards"], best["speed"])
