"""How far a figure could move by chance: the percentile bootstrap over queries.

Letters: M rows (one query in one draw), U distinct queries, B resamples, K figures.

The same product may be a query in several draws. Its rows are not independent, so whole queries are drawn, with
all their rows: the interval says how the figure moves with other queries, and more draws cannot shrink it at will.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
_CELLS_AT_ONCE = 4_000_000


def resample(clusters: int, resamples: int, rng: np.random.Generator, *, rows: int = 0) -> Iterator[NDArray[np.int64]]:
    """Draw ``clusters`` of ``clusters`` with replacement, ``resamples`` times.

    Args:
        clusters: U.
        resamples: B.
        rng: explicit, so that an interval can be computed again.
        rows: M, which the caller will hold for each resample; portions are smaller where there are many. The draws
            are the same.

    Yields:
        How often each one was drawn, int64 [b, clusters], in portions that add up to ``resamples`` rows.
    """
    portion = max(1, _CELLS_AT_ONCE // max(clusters, rows))
    for start in range(0, resamples, portion):
        count = min(portion, resamples - start)
        drawn = rng.integers(clusters, size=(count, clusters)) + clusters * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * clusters).reshape(count, clusters)


def interval(samples_BK: NDArray[np.floating[Any]], level: float = LEVEL) -> NDArray[np.float64]:
    """Return the percentile interval of resampled figures: float64 [2, K], low and high."""
    tail = 50.0 * (1.0 - level)
    return np.percentile(samples_BK.astype(np.float64), [tail, 100.0 - tail], axis=0)


def mean_interval(
    values_MK: NDArray[np.floating[Any]], queries_M: NDArray[np.int64], *, resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Find the 95 % interval of the mean of each column.

    Args:
        values_MK: one row for each query and draw.
        queries_M: which query a row belongs to; rows of one query are drawn together.
        resamples: B.
        rng: explicit, so that an interval can be computed again.

    Returns:
        Low and high ends, float64 [2, K].
    """
    names, cluster_M = np.unique(queries_M, return_inverse=True)
    rows_U = np.bincount(cluster_M)
    sums_UK = np.zeros((len(names), values_MK.shape[1]))
    np.add.at(sums_UK, cluster_M, values_MK)
    means = [drawn_BU @ sums_UK / (drawn_BU @ rows_U)[:, None] for drawn_BU in resample(len(names), resamples, rng)]
    return interval(np.concatenate(means))
