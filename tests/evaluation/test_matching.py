import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert.evaluation.matching import (
    accuracy,
    auc_and_average_precision,
    calibration_error,
    matching_figures,
    reliability,
)
from fashionbert.evaluation.protocols import MatchingPairs

NAN, INF = float("nan"), float("inf")


def areas(scores: list[float], labels: list[int], weights: list[int] | None = None) -> list[float]:
    weights_BM = np.array([weights if weights is not None else [1] * len(scores)])
    return auc_and_average_precision(np.array(scores, float), np.array(labels, bool), weights_BM)[0].tolist()


def naive_auc(scores: list[float], labels: list[int]) -> float:
    """Count pairs of a right and a wrong one, a tie as half."""
    rights = [s for s, label in zip(scores, labels, strict=True) if label]
    wrongs = [s for s, label in zip(scores, labels, strict=True) if not label]
    return sum((r > w) + (r == w) / 2 for r in rights for w in wrongs) / (len(rights) * len(wrongs))


def naive_average_precision(scores: list[float], labels: list[int]) -> float:
    """Lower the threshold from score to score."""
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        taken = [label for s, label in zip(scores, labels, strict=True) if s >= threshold]
        recall = sum(taken) / sum(labels)
        total += (recall - before) * sum(taken) / len(taken)
        before = recall
    return total


@pytest.mark.parametrize(
    ("scores", "labels", "auc", "average_precision"),
    [
        ([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0], 1.0, 1.0),
        ([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0], 0.0, (1 / 3 + 2 / 4) / 2),
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75, 1 / 2 * 1 + 1 / 2 * 2 / 3),
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0], 0.5, 0.5),
        ([NAN, 0.1, 0.0], [1, 1, 0], 0.5, 1 / 2 + 1 / 2 * 2 / 3),  # a right pair without a score: at the bottom
        ([NAN, 0.1, 0.0], [0, 1, 1], 0.0, (1 / 2 + 2 / 3) / 2),  # a wrong one: at the top
        ([-INF, INF, -INF, 0.0], [1, 1, 0, 0], 0.625, 1 / 2 + 1 / 2 * 2 / 4),
    ],
)
def test_areas_by_hand(scores: list[float], labels: list[int], auc: float, average_precision: float) -> None:
    assert areas(scores, labels) == pytest.approx([auc, average_precision])


rows = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9]), st.integers(0, 1)), min_size=2, max_size=12)


@given(rows.filter(lambda rows: 0 < sum(label for _, label in rows) < len(rows)))
def test_areas_by_naive_references(rows: list[tuple[float, int]]) -> None:
    scores, labels = [score for score, _ in rows], [label for _, label in rows]
    assert areas(scores, labels) == pytest.approx([naive_auc(scores, labels), naive_average_precision(scores, labels)])


@given(st.integers(0, 1000))
def test_a_weight_is_a_repetition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, weights = rng.integers(4, size=8) / 4, rng.integers(4, size=8)
    labels = np.array([1, 0, 1, 0, 1, 0, 1, 0])
    weights[:2] = 1
    repeated = areas(np.repeat(scores, weights).tolist(), np.repeat(labels, weights).tolist())
    assert areas(scores.tolist(), labels.tolist(), weights.tolist()) == pytest.approx(repeated)


def test_a_resample_of_one_kind_has_no_area() -> None:
    assert np.isnan(areas([0.1, 0.2], [1, 0], weights=[2, 0])[0])


def test_accuracy_by_hand() -> None:
    scores, labels = np.array([0.51, 0.5, 0.2, 0.9, NAN, NAN]), np.array([1, 1, 0, 0, 1, 0], dtype=bool)
    assert accuracy(scores, labels).tolist() == [True, False, True, False, False, False]


def test_calibration_by_hand() -> None:
    scores = np.array([0.01, 0.03, 0.5, 0.5, 1.0, NAN])
    labels = np.array([0, 1, 1, 0, 1, 1], dtype=bool)
    low, middle, high = reliability(scores, labels)
    assert (low.pairs, middle.pairs, high.pairs) == (2, 2, 1)
    assert (low.low, low.high) == (0, pytest.approx(1 / 15))
    assert (middle.low, middle.high) == (pytest.approx(7 / 15), pytest.approx(8 / 15))
    assert (high.low, high.high) == (pytest.approx(14 / 15), 1)
    assert (low.probability, low.matches) == (pytest.approx(0.02), 0.5)
    assert calibration_error((low, middle, high)) == pytest.approx((2 * 0.48 + 2 * 0.0 + 1 * 0.0) / 5)
    assert calibration_error(()) == 0.0


def made_pairs(size: int) -> MatchingPairs:
    anchors = np.arange(size)
    return MatchingPairs(
        texts=np.tile(anchors, 2),
        pictures=np.concatenate([anchors, (anchors + 1) % size]),
        labels=np.repeat([True, False], size),
        anchors=np.tile(anchors, 2),
    )


def test_calibrated_probabilities_have_a_small_error() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random(20_000)
    labels = rng.random(20_000) < probabilities
    assert calibration_error(reliability(probabilities, labels)) < 0.02
    assert calibration_error(reliability(probabilities**3, labels)) > 0.15


def test_all_figures_have_an_interval_around_them() -> None:
    rng, pairs = np.random.default_rng(1), made_pairs(500)
    scores = np.clip(0.5 + 0.15 * (2 * pairs.labels - 1) + rng.normal(0, 0.2, 1000), 0, 1)
    figures = matching_figures(pairs, scores, probabilities=True, resamples=500, rng=rng)
    assert figures.accuracy is not None
    assert figures.accuracy_interval is not None
    assert figures.accuracy == accuracy(scores, pairs.labels).mean()
    for value, (low, high) in (
        (figures.accuracy, figures.accuracy_interval),
        (figures.auc, figures.auc_interval),
        (figures.average_precision, figures.average_precision_interval),
    ):
        assert low < value < high
        assert 0.01 < high - low < 0.08
    assert sum(bar.pairs for bar in figures.bins) == 1000


def test_scores_that_are_no_probabilities_have_no_accuracy() -> None:
    pairs, rng = made_pairs(10), np.random.default_rng(0)
    scores = np.linspace(1, -1, 20)
    figures = matching_figures(pairs, scores, probabilities=False, resamples=10, rng=rng)
    assert (figures.accuracy, figures.calibration_error, figures.bins) == (None, None, ())
    assert figures.auc == 1.0
    with pytest.raises(ValueError, match=r"from -1\.0 to 1\.0, not in \[0, 1\]"):
        matching_figures(pairs, scores, probabilities=True, resamples=10, rng=rng)


def test_pairs_without_a_score_are_counted_and_wrong() -> None:
    pairs, rng = made_pairs(10), np.random.default_rng(0)
    scores = pairs.labels.astype(float)
    scores[[0, 10]] = NAN
    figures = matching_figures(pairs, scores, probabilities=True, resamples=10, rng=rng)
    assert (figures.unscored, figures.accuracy) == (2, 0.9)
    assert figures.auc == pytest.approx(81 / 100)
