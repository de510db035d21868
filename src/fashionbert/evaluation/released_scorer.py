"""What the authors' released scorer computes from right scores, to explain the figures that it printed.

Their evaluation prints R@100 of 0.547 on lists of 101 candidates, where it must be 1. The script
(EasyTransfer, scripts/fashion_bert) writes the query ids of a batch as ``str(list)``, splits the line at the commas
and does not strip: the first id of every batch has no space before it, all others do. The two spellings become
two queries. So some 800 further queries come into being out of a row or two each, nearly all without a right
answer, and every recall is divided by 1,800 rather than 1,000. Their 0.24315, 0.46276, 0.51588 and 0.54765 are
444, 845, 942 and 1,000 hits divided by 1,826, to the last digit.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def released_recall(
    query_ids: Sequence[str],
    labels: NDArray[np.bool_],
    scores: NDArray[np.float64],
    cuts: Sequence[int],
    batch_size: int = 64,
) -> tuple[list[float], int]:
    """Compute recall as the released scorer does. Use it to explain old figures, never to measure.

    Args:
        query_ids: query of every row, [M], in the order in which the batches went through the model.
        labels: whether a row is its query's right answer, bool [M].
        scores: of every row, float64 [M].
        cuts: the k of each R@k.
        batch_size: rows in a batch.

    Returns:
        R@k for every cut, and the number of queries that the scorer believes in.
    """
    rows_of: dict[str, list[int]] = {}
    for row, query_id in enumerate(query_ids):
        spelling = query_id if row % batch_size == 0 else f" {query_id}"
        rows_of.setdefault(spelling, []).append(row)
    ordered = [sorted(rows, key=lambda row: -scores[row]) for rows in rows_of.values()]
    hits = [sum(bool(labels[rows[:cut]].any()) for rows in ordered) for cut in cuts]
    return [hit / len(rows_of) for hit in hits], len(rows_of)
