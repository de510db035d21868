import numpy as np
import pytest

from fashionbert.evaluation.figures import difference_figures, direction_figures
from fashionbert.evaluation.run import Ranking

INF = float("inf")


def ranking(ranks: list[float], queries: list[int] | None = None, draws: list[int] | None = None) -> Ranking:
    size = len(ranks)
    return Ranking(
        queries=np.arange(size) if queries is None else np.array(queries),
        draws=np.zeros(size, dtype=int) if draws is None else np.array(draws),
        sizes=np.full(size, 101),
        relevant=np.ones(size, dtype=int),
        ranks=np.array(ranks),
    )


def resampling(resamples: int = 200) -> dict:
    return {"resamples": resamples, "rng": np.random.default_rng(0)}


def test_figures_by_hand() -> None:
    figures = direction_figures(ranking([1, 1, 4, 8, INF], queries=[3, 4, 5, 3, 6]), **resampling())
    assert figures["recall_at_1"] == 0.4
    assert figures["recall_at_5"] == 0.6
    assert figures["recall_at_10"] == figures["recall_at_all"] == 0.8
    assert figures["mrr"] == pytest.approx((1 + 1 + 1 / 4 + 1 / 8 + 0) / 5)
    assert figures["mean_rank"] == (1 + 1 + 4 + 8 + 102) / 5
    assert (figures["missed"], figures["rows"], figures["queries"]) == (1, 5, 4)
    assert figures["chance"]["recall_at_5"] == pytest.approx(5 / 101)


def test_every_figure_has_an_interval_around_it() -> None:
    ranks = np.random.default_rng(1).geometric(0.3, size=300).astype(float)
    figures = direction_figures(ranking(ranks.tolist()), **resampling())
    for name in ("recall_at_1", "recall_at_5", "recall_at_10", "mrr", "mean_rank"):
        low, high = figures[f"{name}_interval"]
        assert low <= figures[name] <= high
    low, high = figures["recall_at_1_interval"]
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.3 * 0.7 / 300), rel=0.25)


def test_missed_queries_stand_behind_the_end_of_their_list() -> None:
    figures = direction_figures(ranking([INF, INF, INF]), **resampling())
    assert (figures["mean_rank"], figures["mean_rank_interval"]) == (102, [102, 102])
    assert (figures["mrr"], figures["mrr_interval"]) == (0, [0, 0])


def test_a_difference_is_paired() -> None:
    rng = np.random.default_rng(2)
    hard = rng.random(400) < 0.5
    worse = np.where(hard, 20.0, 1.0)
    better = np.where(np.arange(400) < 12, 1.0, worse)
    gain = difference_figures(ranking(better.tolist()), ranking(worse.tolist()), **resampling())
    expected = float(np.mean(better <= 1) - np.mean(worse <= 1))
    assert gain["recall_at_1"] == pytest.approx(expected)
    low, high = gain["recall_at_1_interval"]
    # A few queries only ever gain: surely better, though each system's own interval is some ten points wide.
    assert 0 < low < expected < high < 0.04
    back = difference_figures(ranking(worse.tolist()), ranking(better.tolist()), **resampling())
    assert back["recall_at_1"] == pytest.approx(-expected)


def test_equal_systems_do_not_differ() -> None:
    same = ranking([1, 2, 3, INF])
    assert set(map(str, difference_figures(same, same, **resampling()).values())) == {"0.0", "[0.0, 0.0]"}


def test_other_lists_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="the same lists"):
        difference_figures(ranking([1, 2]), ranking([1, 2], queries=[1, 0]), **resampling())
    with pytest.raises(ValueError, match="the same lists"):
        difference_figures(ranking([1, 2]), ranking([1, 2], draws=[0, 1]), **resampling())
