"""Ranks and the figures made of them; numpy alone.

Letters: Q queries, C candidates of a list, N products of a gallery.

The rank of a query is 1 + the number of other candidates whose score is not below the best score of a relevant
one. So ties count against the model, a relevant candidate never pushes another one down, and a candidate
without a score (NaN) never helps the truth. A query whose relevant candidates have no score is missed: its rank
is infinite, it stays in every mean.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def rank_lists(
    scores_QC: Floats, relevant_QC: NDArray[np.bool_], present_QC: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Rank the best relevant candidate of every list.

    Args:
        scores_QC: higher is better; NaN where there is no score.
        relevant_QC: which candidates are right answers.
        present_QC: False where a short list is padded; None: all lists are full.

    Returns:
        Ranks from 1 on, infinite for a missed query: float64 [Q].
    """
    present_QC = np.ones_like(relevant_QC) if present_QC is None else present_QC
    relevant_QC = relevant_QC & present_QC
    answered_QC = relevant_QC & ~np.isnan(scores_QC)
    best_Q = np.where(answered_QC, scores_QC, -np.inf).max(axis=1, initial=-np.inf)
    ahead_QC = present_QC & ~relevant_QC & ~(scores_QC < best_Q[:, None])
    return np.where(answered_QC.any(axis=1), 1.0 + ahead_QC.sum(axis=1), np.inf)


def pessimistic_order(scores_C: Floats, relevant_C: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Order one list, best first, so that places agree with the rank: what ties or has no score stands first.

    A relevant candidate without a score stands last.
    """
    silent_C = np.isnan(scores_C)
    keys_C = np.where(silent_C, np.where(relevant_C, np.inf, -np.inf), -scores_C)
    return np.lexsort((relevant_C, keys_C))


def rank_gallery(
    score_rows: Callable[[NDArray[np.int64]], Floats], labels: Sequence[NDArray[np.int64]], chunk: int = 256
) -> list[NDArray[np.float64]]:
    """Rank every product's query against the whole gallery, ``chunk`` queries at a time.

    Args:
        score_rows: scores [Q, N] of the queries with these indices against all N products.
        labels: notions of relevance, each as codes [N]; a candidate is relevant when its code is the query's.
        chunk: queries whose scores are held at once.

    Returns:
        One float64 [N] of ranks for each notion of relevance.
    """
    size = len(labels[0])
    ranks = [np.empty(size) for _ in labels]
    for start in range(0, size, chunk):
        queries_Q = np.arange(start, min(start + chunk, size))
        scores_QN = score_rows(queries_Q)
        for ranks_N, labels_N in zip(ranks, labels, strict=True):
            ranks_N[queries_Q] = rank_lists(scores_QN, labels_N[queries_Q, None] == labels_N)
    return ranks


def recall_at(ranks_Q: Floats, k: int) -> float:
    """Share of the queries with a relevant candidate among the first ``k``."""
    return float(np.mean(ranks_Q <= k))


def recall_at_all(ranks_Q: Floats) -> float:
    """Share of the queries that were answered at all; below 1 something is wrong with the scores or their keys."""
    return float(np.mean(np.isfinite(ranks_Q)))


def mean_reciprocal_rank(ranks_Q: Floats) -> float:
    """Mean of 1 / rank; a missed query adds 0."""
    return float(np.mean(1.0 / ranks_Q))


def mean_rank(ranks_Q: Floats, sizes_Q: NDArray[np.int64]) -> float:
    """Mean rank; a missed query counts as one place behind the end of its list of ``sizes_Q`` candidates."""
    return float(np.mean(np.where(np.isfinite(ranks_Q), ranks_Q, sizes_Q + 1)))


def chance_recall(sizes_Q: NDArray[np.int64], relevant_Q: NDArray[np.int64], k: int) -> float:
    """Recall at ``k`` of an order drawn by lot: the line that a model has to be above.

    A list of C candidates, r of them relevant, has none of these among the first k with probability
    (C-r)/C * (C-r-1)/(C-1) * ... , k factors.
    """
    none_Q = np.ones(len(sizes_Q))
    for place in range(k):
        left_Q = np.maximum(sizes_Q - place, 1)
        none_Q *= np.clip(left_Q - relevant_Q, 0, None) / left_Q
    return float(np.mean(1.0 - none_Q))
