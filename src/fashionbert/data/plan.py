"""The order of an epoch: batches of rows of like length, the same for the same generator."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BATCHES_IN_POOL = 32
_SPREAD, _SPREAD_AT_LEAST = 0.15, 4
"""Texts of a cluster are longer than its shortest by this share at most, or by four WordPieces where that is more."""

Rows = NDArray[np.int64]


def epoch_batches(
    lengths: NDArray[np.int64],
    batch_size: int,
    generator: np.random.Generator,
    *,
    subcategories: NDArray[np.int64] | None = None,
    cluster_size: int = 1,
) -> list[Rows]:
    """Shuffle all rows into batches whose texts are about equally long.

    Rows are shuffled, cut into pools of 32 batches, sorted by length within the pool and cut into batches, which are
    shuffled again. So a batch needs little padding, and its company is still a matter of chance. With clusters, the
    same is done first within each subcategory to make the clusters, then with clusters in place of rows; a cluster
    ends early where the next text is much longer, or small subcategories would bring long and short texts together.
    Every row is seen once an epoch, and every epoch has ``ceil(N / batch_size)`` batches, one of which may be smaller.

    Args:
        lengths: WordPieces of each row's text [N].
        batch_size: rows in a batch.
        generator: source of the order.
        subcategories: subcategory of each row [N]; None: no clusters.
        cluster_size: rows of one subcategory that stay together, at most.

    Returns:
        Row numbers of each batch, in the order of the epoch.
    """
    everything = np.arange(len(lengths))
    if cluster_size == 1 or subcategories is None:
        return _shuffled(_cut(_line_up(everything[:, None], lengths, batch_size, generator), batch_size), generator)
    order = np.argsort(subcategories, kind="stable")
    borders = np.flatnonzero(np.diff(subcategories[order])) + 1
    clusters = [
        cluster
        for members in np.split(order, borders)
        for cluster in _cut_near(_line_up(members[:, None], lengths, cluster_size, generator), lengths, cluster_size)
    ]
    return _shuffled(_cut(_line_up(clusters, lengths, batch_size, generator), batch_size), generator)


def _line_up(
    units: Sequence[Rows] | Rows, lengths: NDArray[np.int64], size: int, generator: np.random.Generator
) -> Rows:
    """Put units (rows or clusters) in a line in which those that will share a bundle of ``size`` are of like length."""
    order = generator.permutation(len(units))
    longest = np.asarray([lengths[unit].max() for unit in units])
    units_in_pool = max(1, _BATCHES_IN_POOL * size // max(len(unit) for unit in units))
    pieces: list[Rows] = []
    for number, start in enumerate(range(0, len(order), units_in_pool)):
        pool = order[start : start + units_in_pool]
        pool = pool[np.argsort(longest[pool], kind="stable")]
        # Every other pool falls in length, so that a batch across the border of two pools is of like length too.
        pieces += [units[unit] for unit in (pool if number % 2 == 0 else pool[::-1])]
    return np.concatenate(pieces)


def _cut(rows: Rows, size: int) -> list[Rows]:
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def _cut_near(rows: Rows, lengths: NDArray[np.int64], size: int) -> list[Rows]:
    """Cut a line into pieces of ``size`` at most, and of texts of nearly one length."""
    first, borders = 0, []
    shortest = longest = int(lengths[rows[0]])
    for place, length in enumerate(lengths[rows].tolist()):
        shortest, longest = min(shortest, length), max(longest, length)
        if place - first == size or longest - shortest > max(_SPREAD * shortest, _SPREAD_AT_LEAST):
            borders.append(place)
            first, shortest, longest = place, length, length
    return np.split(rows, borders)


def _shuffled(bundles: Sequence[Rows], generator: np.random.Generator) -> list[Rows]:
    return [bundles[place] for place in generator.permutation(len(bundles))]
