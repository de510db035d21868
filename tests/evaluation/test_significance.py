import numpy as np
import pytest

from fashionbert.evaluation import significance
from fashionbert.evaluation.significance import interval, mean_interval, resample


def interval_of(values: np.ndarray, queries: np.ndarray, seed: int = 0, resamples: int = 4000) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    low, high = mean_interval(values[:, None], queries, resamples=resamples, rng=rng)[:, 0].tolist()
    return low, high


def test_the_percentiles_of_known_samples() -> None:
    samples = np.stack([np.arange(1001.0), np.arange(1001.0) / 1000], axis=1)
    assert interval(samples).tolist() == [pytest.approx([25, 0.025]), pytest.approx([975, 0.975])]
    assert interval(samples, level=0.5).tolist() == [pytest.approx([250, 0.25]), pytest.approx([750, 0.75])]


def test_resamples_draw_as_many_as_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(significance, "_CELLS_AT_ONCE", 20)
    portions = list(resample(7, 11, np.random.default_rng(0)))
    assert [len(portion) for portion in portions] == [2, 2, 2, 2, 2, 1]
    drawn = np.concatenate(portions)
    assert drawn.shape == (11, 7)
    assert np.all(drawn.sum(axis=1) == 7)
    smaller = list(resample(7, 11, np.random.default_rng(0), rows=15))
    assert [len(portion) for portion in smaller] == [1] * 11
    np.testing.assert_array_equal(np.concatenate(smaller), drawn)


def test_a_share_has_the_interval_of_the_normal_law() -> None:
    hits = np.repeat([1.0, 0.0], [300, 700])
    low, high = interval_of(hits, np.arange(1000))
    half = 1.96 * np.sqrt(0.3 * 0.7 / 1000)
    assert (low, high) == (pytest.approx(0.3 - half, abs=0.003), pytest.approx(0.3 + half, abs=0.003))


def test_the_interval_is_that_of_a_naive_bootstrap() -> None:
    rng = np.random.default_rng(1)
    queries, values = rng.integers(40, size=120), rng.random(120)
    names = np.unique(queries)
    means = []
    for _ in range(4000):
        rows = np.concatenate([np.flatnonzero(queries == name) for name in rng.choice(names, len(names))])
        means.append(values[rows].mean())
    expected = np.percentile(means, [2.5, 97.5])
    assert interval_of(values, queries) == (
        pytest.approx(expected[0], abs=0.004),
        pytest.approx(expected[1], abs=0.004),
    )


def test_asking_the_same_queries_again_makes_nothing_surer() -> None:
    hits, queries = np.random.default_rng(2).integers(2, size=200).astype(float), np.arange(200)
    once = interval_of(hits, queries)
    assert interval_of(np.tile(hits, 5), np.tile(queries, 5)) == pytest.approx(once)
    low, high = interval_of(np.tile(hits, 5), np.arange(1000))
    assert high - low < 0.6 * (once[1] - once[0])


def test_the_interval_holds_the_truth_about_95_times_in_100() -> None:
    rng, covered = np.random.default_rng(3), 0
    for trial in range(300):
        low, high = interval_of((rng.random(150) < 0.4).astype(float), np.arange(150), trial, resamples=300)
        covered += low <= 0.4 <= high
    assert 0.90 <= covered / 300 <= 0.99


def test_same_generator_same_interval() -> None:
    values = np.random.default_rng(4).random(50)
    assert interval_of(values, np.arange(50)) == interval_of(values, np.arange(50))
    assert interval_of(values, np.arange(50)) != interval_of(values, np.arange(50), seed=1)
    assert interval_of(np.ones(5), np.arange(5)) == (1.0, 1.0)
