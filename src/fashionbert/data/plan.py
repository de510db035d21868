"""The order of an epoch: batches of rows of like length, the same for the same generator."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BATCHES_IN_POOL = 32

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
    same is done first within each subcategory to make the clusters, then with clusters in place of rows. Every row is
    seen once an epoch, and every epoch has ``ceil(N / batch_size)`` batches, one of which may be smaller.

    Args:
        lengths: WordPieces of each row's text [N].
        batch_size: rows in a batch.
        generator: source of the order.
        subcategories: subcategory of each row [N]; None: no clusters.
        cluster_size: rows of one subcategory that stay together.

    Returns:
        Row numbers of each batch, in the order of the epoch.
    """
    everything = np.arange(len(lengths))
    if cluster_size == 1 or subcategories is None:
        return _bundle(everything[:, None], lengths, batch_size, generator)
    order = np.argsort(subcategories, kind="stable")
    borders = np.flatnonzero(np.diff(subcategories[order])) + 1
    clusters = [
        cluster
        for members in np.split(order, borders)
        for cluster in _bundle(members[:, None], lengths, cluster_size, generator)
    ]
    return _bundle(clusters, lengths, batch_size, generator)


def _bundle(
    units: Sequence[Rows] | Rows, lengths: NDArray[np.int64], size: int, generator: np.random.Generator
) -> list[Rows]:
    """Bundle units (rows or clusters) of like length until each bundle has ``size`` rows, in random order."""
    order = generator.permutation(len(units))
    longest = np.asarray([lengths[unit].max() for unit in units])
    units_in_pool = max(1, _BATCHES_IN_POOL * size // max(len(unit) for unit in units))
    pieces: list[Rows] = []
    for number, start in enumerate(range(0, len(order), units_in_pool)):
        pool = order[start : start + units_in_pool]
        pool = pool[np.argsort(longest[pool], kind="stable")]
        # Every other pool falls in length, so that a batch across the border of two pools is of like length too.
        pieces += [units[unit] for unit in (pool if number % 2 == 0 else pool[::-1])]
    rows = np.concatenate(pieces)
    bundles = [rows[first : first + size] for first in range(0, len(rows), size)]
    return [bundles[place] for place in generator.permutation(len(bundles))]
