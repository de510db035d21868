"""What the authors' released scorer computes from right scores, to explain the figures that it printed.

Their evaluation prints R@100 of 0.547 on lists of 101 candidates, where it must be 1. The script
(EasyTransfer, scripts/fashion_bert) writes the query ids of a batch as ``str(list)``, splits the line at the commas
and does not strip: the first id of every batch has no space before it, all others do. The two spellings become
two queries. So some 800 further queries come into being out of a row or two each, nearly all without a right
answer, and every recall is divided by 1,800 rather than 1,000. Their 0.24315, 0.46276, 0.51588 and 0.54765 are
444, 845, 942 and 1,000 hits divided by 1,826, to the last digit.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

QUERIES, CANDIDATES, BATCH = 1000, 101, 64
"""Their evaluation sets: 1,000 lists of 101 candidates, scored in batches of 64."""
CUTS = (1, 5, 10, 100)
PRINTED: Mapping[str, tuple[float, ...]] = {
    "image_to_text": (0.24315, 0.46276, 0.51588, 0.54765),
    "text_to_image": (0.28947, 0.47984, 0.52128, 0.55991),
}
"""R@1, 5, 10 and 100 of the README of EasyTransfer, scripts/fashion_bert."""
HITS: Mapping[str, tuple[int, ...]] = {
    "image_to_text": (444, 845, 942, 1000),
    "text_to_image": (517, 857, 931, 1000),
}
"""Of the 1,000 queries, those whose right answer the released model has among the first 1, 5, 10 and 100."""
COUNTED: Mapping[str, int] = {"image_to_text": 1826, "text_to_image": 1786}
"""Queries that their scorer made of the 1,000."""


class Corrected(NamedTuple):
    """What printed figures say once the fault is known.

    Attributes:
        counted: queries that the scorer believed in.
        hits: queries with the right answer among the first k, for each cut.
        recall: the same as shares of the real queries.
    """

    counted: int
    hits: tuple[int, ...]
    recall: tuple[float, ...]


class Rows(NamedTuple):
    """Rows of an evaluation as they pass the model.

    Attributes:
        query_ids: query of every row, M of them.
        labels: whether the row is its query's right answer, bool [M].
        scores: higher is better, float64 [M].
    """

    query_ids: list[str]
    labels: NDArray[np.bool_]
    scores: NDArray[np.float64]


def correct(printed: Sequence[float], queries: int = QUERIES) -> Corrected:
    """Undo the fault: from printed recalls to the real ones.

    The last cut is so wide that every real query is answered there, so its figure says by what all of them were
    divided.

    Args:
        printed: R@k at each of :data:`CUTS`.
        queries: real queries.

    Returns:
        Queries counted, hits, corrected recalls.

    Raises:
        ValueError: the figures are not what the fault makes: hits over the counted queries are no whole numbers.
    """
    counted = round(queries / printed[-1])
    hits = tuple(round(share * counted) for share in printed)
    if any(abs(hit / counted - share) > 5e-6 for hit, share in zip(hits, printed, strict=True)):
        raise ValueError(f"{list(printed)} are no whole numbers of hits over {counted} queries")
    return Corrected(counted, hits, tuple(hit / queries for hit in hits))


def scored_their_way(direction: str) -> tuple[list[float], int]:
    """Score lists with the released model's right ranks by the released arithmetic; as :func:`released_recall`."""
    return released_recall(*arrange(ranks_of(HITS[direction]), COUNTED[direction]), CUTS)


def ranks_of(hits: Sequence[int], cuts: Sequence[int] = CUTS) -> NDArray[np.int64]:
    """Give ranks of right answers with so many of them among the first k of each cut, int64 [Q]."""
    return np.repeat(np.asarray(cuts), np.diff([0, *hits]))


def arrange(ranks_Q: NDArray[np.int64], counted: int, candidates: int = CANDIDATES, batch_size: int = BATCH) -> Rows:
    """Lay out lists with these ranks so that the released scorer takes them for ``counted`` queries.

    The order is one of many that do: each batch begins with a row of one of ``counted - Q`` queries, and that row is a
    wrong answer below the right one.

    Args:
        ranks_Q: rank of each query's right answer, from 1 on, below ``candidates``.
        counted: queries that the scorer shall see.
        candidates: rows of each query, C.
        batch_size: rows in a batch.

    Returns:
        ``Q * C`` rows.

    Raises:
        ValueError: there are too few batches, or too few queries, for so many additional ones.
    """
    queries, extra = len(ranks_Q), counted - len(ranks_Q)
    batches = -(-queries * candidates // batch_size)
    if not 0 < extra <= min(queries, batches):
        raise ValueError(f"{batches} batches of {queries} queries cannot look like {counted} queries")
    place_QC = np.tile(np.arange(candidates), (queries, 1))  # 0 is the right answer, the last ones score lowest
    scores_QC = np.where(place_QC == 0, 0.0, np.where(place_QC < ranks_Q[:, None], 1.0, -1.0))
    query_M, place_M = np.repeat(np.arange(queries), candidates), place_QC.ravel()
    turns_B, donors_B = np.divmod(np.arange(batches), extra)
    first_B = donors_B * candidates + candidates - 1 - turns_B
    others = np.setdiff1d(np.arange(queries * candidates), first_B)
    order = np.insert(others, np.arange(batches) * (batch_size - 1), first_B)
    return Rows([str(query) for query in query_M[order]], place_M[order] == 0, scores_QC.ravel()[order])


def released_recall(
    query_ids: Sequence[str],
    labels: NDArray[np.bool_],
    scores: NDArray[np.float64],
    cuts: Sequence[int],
    batch_size: int = BATCH,
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
