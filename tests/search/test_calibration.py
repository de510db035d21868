"""Calibration, by hand and against a search of all thresholds."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert.catalogue import Catalogue
from fashionbert.errors import QueryError, SearchIndexError
from fashionbert.scoring.probability import fit_line
from fashionbert.search import Calibration, Query, SearchEngine, calibrate
from fashionbert.search.calibration import choose_threshold

CALIBRATION = Calibration(
    slope=2.0, offset=-1.0, threshold=0.5, precision=0.8, reached=0.9, answered=0.4, queries=10, source="a test"
)


def test_confidence_is_a_line_through_the_log_odds() -> None:
    found = CALIBRATION.confidence(np.array([0.5, 1.0, -1000.0, 1000.0]))
    np.testing.assert_allclose(found, [0.5, 1 / (1 + math.exp(-1.0)), 0.0, 1.0])


def test_the_line_gives_back_what_made_the_answers() -> None:
    generator = np.random.default_rng(0)
    margins = generator.normal(0, 3, 40_000)
    right = generator.random(40_000) < 1 / (1 + np.exp(-(0.7 * margins - 1.5)))
    slope, offset = fit_line(margins, right)
    assert (slope, offset) == (pytest.approx(0.7, abs=0.03), pytest.approx(-1.5, abs=0.05))


def test_the_fit_has_the_mean_that_was_observed() -> None:
    margins, right = np.array([-1.0, 0.0, 1.0, 2.0]), np.array([False, True, False, True])
    slope, offset = fit_line(margins, right)
    predicted = 1 / (1 + np.exp(-(slope * margins + offset)))
    assert predicted.sum() == pytest.approx(2 * 3 / 4 + 2 * 1 / 4)  # Platt's targets are 3/4 and 1/4 here


def test_margins_that_part_right_from_wrong_have_a_fit_too() -> None:
    slope, offset = fit_line(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([False, False, True, True]))
    assert slope > 0
    assert math.isfinite(offset)


@pytest.mark.parametrize("right", [True, False])
def test_one_kind_alone_gives_no_line(right: bool) -> None:
    with pytest.raises(ValueError, match="a line needs both"):
        fit_line(np.arange(3.0), np.full(3, right))


def test_a_threshold_by_hand() -> None:
    confidences = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    right = np.array([True, True, False, True, False])  # shares 1, 1, 2/3, 3/4, 3/5
    assert choose_threshold(confidences, right, 0.75) == (0.6, 0.75, 0.8)
    assert choose_threshold(confidences, right, 0.8) == (0.8, 1.0, 0.4)
    assert choose_threshold(confidences, ~right, 0.9) == (None, 0.4, 0.0)
    # 0.8 leaves two answers, both right; three must be left, and of the four at 0.6 three are right.
    assert choose_threshold(confidences, right, 0.8, fewest=3) == (None, 0.75, 0.0)
    assert choose_threshold(confidences, right, 0.75, fewest=3) == (0.6, 0.75, 0.8)


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=30),
    st.sampled_from([0.5, 0.8, 0.95]),
)
def test_the_threshold_is_the_lowest_that_is_good_enough(queries: list[tuple[float, bool]], precision: float) -> None:
    confidences, right = np.array([c for c, _ in queries]), np.array([r for _, r in queries])
    good = [t for t in np.unique(confidences) if right[confidences >= t].mean() >= precision]
    threshold, reached, answered = choose_threshold(confidences, right, precision)
    assert threshold == (min(good) if good else None)
    if threshold is not None:
        assert reached == pytest.approx(right[confidences >= threshold].mean())
        assert answered == pytest.approx((confidences >= threshold).mean())


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert Calibration.read(tmp_path) is None
    CALIBRATION.write(tmp_path)
    assert Calibration.read(tmp_path) == CALIBRATION


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"slope": 1}'])
def test_what_is_broken(tmp_path: Path, text: str) -> None:
    (tmp_path / "calibration.json").write_text(text)
    with pytest.raises(SearchIndexError, match="remove it, or calibrate the index anew"):
        Calibration.read(tmp_path)


def test_an_index_is_calibrated_on_its_products(own_index: Path, shop: Catalogue) -> None:
    engine = SearchEngine.open(own_index)
    seen: list[int] = []
    found = calibrate(
        engine,
        list(shop),
        precision=0.5,
        rerank=5,
        generator=np.random.default_rng(0),
        source="shop",
        progress=lambda done, _: seen.append(done),
    )
    assert (found.queries, found.source, seen[-1]) == (6, "shop", 6)
    found.write(own_index)
    engine = SearchEngine.open(own_index)
    assert engine.is_calibrated
    for hit in engine.search(Query(text="red dress")).hits:
        assert hit.probability is not None
        margin = math.log(hit.probability / (1 - hit.probability))
        assert hit.confidence == pytest.approx(1 / (1 + math.exp(-(found.slope * margin + found.offset))), abs=1e-6)


def test_nothing_matches_where_the_best_hit_is_below_the_threshold(own_index: Path) -> None:
    query = Query(text="red dress")
    assert not SearchEngine.open(own_index).search(query).nothing_matches  # without a calibration nothing is said
    for threshold, nothing in ((0.0, False), (1.0, True), (None, False)):
        replace(CALIBRATION, threshold=threshold).write(own_index)
        answer = SearchEngine.open(own_index).search(query)
        assert answer.nothing_matches == nothing
        assert len(answer.hits) == 5


OTHER_KINDS = {
    "picture": {"text": "", "image": True},
    "words and a picture": {"image": True},
    "unwanted": {"unwanted": ("blue",)},
    "unwanted alone": {"text": "", "unwanted": ("blue",)},
    "more like": {"more_like": ("s1",)},
    "less like": {"less_like": ("s1",)},
}


@pytest.mark.parametrize("wish", OTHER_KINDS.values(), ids=OTHER_KINDS)
def test_nothing_is_said_of_queries_that_are_not_words_alone(
    own_index: Path, pictures: list[bytes], wish: dict[str, Any]
) -> None:
    replace(CALIBRATION, threshold=1.0).write(own_index)
    picture = {"image": pictures[0]} if "image" in wish else {}
    answer = SearchEngine.open(own_index).search(Query(**{"text": "red dress", **wish, **picture}))
    assert [hit.confidence for hit in answer.hits] == [None] * len(answer.hits)
    assert all(hit.probability is not None for hit in answer.hits)
    assert (answer.nothing_matches, answer.calibrated) == (False, True)


def test_filters_and_hidden_products_leave_words_alone(own_index: Path) -> None:
    replace(CALIBRATION, threshold=1.0).write(own_index)
    answer = SearchEngine.open(own_index).search(Query(text="red dress", filter="category != x", hidden=("s1",)))
    assert answer.hits
    assert all(hit.confidence is not None for hit in answer.hits)
    assert answer.nothing_matches


def test_products_that_are_not_in_the_index_are_named(own_engine: SearchEngine, shop: Catalogue) -> None:
    own_engine.delete(["s3"])
    with pytest.raises(QueryError, match=r"(?s)1 of 6 products.*s3"):
        calibrate(own_engine, list(shop), precision=0.8, rerank=5, generator=np.random.default_rng(0), source="shop")
