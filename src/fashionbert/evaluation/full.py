"""The ``full`` protocol: every product asks, the whole split answers.

Letters: Q queries, N products, K candidates that a second stage sees.

Two notions of relevance stand beside each other: ``full`` (a product of the query's group) and ``exact`` (the
product itself, its group counted as wrong answers).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fashionbert.evaluation.gallery import Gallery
from fashionbert.evaluation.protocols import DIRECTIONS, Direction
from fashionbert.evaluation.ranking import rank_gallery
from fashionbert.evaluation.systems import Indices, Progress, Scores, ScoreTable, System, labelled

Notion = Literal["full", "exact"]
NOTIONS: tuple[Notion, ...] = get_args(Notion)
QUERIES_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class Rerank:
    """A two-stage system: ``first`` orders the whole gallery, ``second`` the ``top`` of that order anew."""

    first: str
    second: str
    top: int = 100

    @property
    def name(self) -> str:
        """What the report calls it."""
        return f"{self.first} then {self.second}"


Block = Callable[[Indices, Indices], Scores]


def whole_block(system: System, size: int, progress: Progress | None = None) -> Block:
    """Give a system's scores of texts against pictures, as a block.

    A system that scores pair by pair is asked for all ``size``² pairs at once, kept as one matrix: both
    directions read it.
    """
    if system.score_block is not None:
        return system.score_block
    report = labelled(progress, f"{system.name}: full")
    matrix_NN = np.empty((size, size))  # float64: in float32 sure matches would all be 1
    texts_at_once = max(1, system.pairs_at_once // size)  # the indices of all pairs would be four times the matrix
    for start in range(0, size, texts_at_once):
        texts_A = np.arange(start, min(start + texts_at_once, size))
        scores = system.score_all(np.repeat(texts_A, size), np.tile(np.arange(size), len(texts_A)))
        matrix_NN[texts_A] = scores.reshape(-1, size)
        if report is not None:
            report((start + len(texts_A)) * size, size * size)
    return lambda texts, pictures: matrix_NN[np.ix_(texts, pictures)]


def rank_full(
    gallery: Gallery, system: System, progress: Progress | None = None
) -> dict[tuple[Notion, Direction], NDArray[np.float64]]:
    """Rank every product's query among the whole gallery: float64 [N] by (notion, direction)."""
    block = whole_block(system, len(gallery), progress)
    return _rank_rows(gallery, lambda direction: _rows(block, direction, len(gallery)))


def rank_two_stage(
    gallery: Gallery, first: System, second: System, top: int, progress: Progress | None = None
) -> dict[tuple[Notion, Direction], NDArray[np.float64]]:
    """Rank with the second system's order of the first one's best, as a search engine does.

    Args:
        gallery: the split.
        first: scores the whole gallery.
        second: scores the candidates that ``first`` puts on top.
        top: how many these are.
        progress: called as the scoring goes on.

    Returns:
        float64 [N] by (notion, direction).
    """
    size = len(gallery)
    block = whole_block(first, size, progress)
    best = {direction: best_candidates(_rows(block, direction, size), size, top) for direction in DIRECTIONS}
    queries_NK = np.repeat(np.arange(size)[:, None], min(top, size), axis=1)
    report = labelled(progress, f"{second.name}: top {top}")
    wanted = [_as_pairs(direction, queries_NK, best[direction]) for direction in DIRECTIONS]
    table = ScoreTable(second, wanted, size, report)

    def rows_of(direction: Direction) -> Callable[[Indices], Scores]:
        rows = _rows(block, direction, size)

        def score(queries_Q: Indices) -> Scores:
            best_QK = best[direction][queries_Q]
            return put_on_top(rows(queries_Q), best_QK, table(*_as_pairs(direction, queries_NK[queries_Q], best_QK)))

        return score

    return _rank_rows(gallery, rows_of)


def best_candidates(rows: Callable[[Indices], Scores], size: int, top: int) -> Indices:
    """Find every query's ``top`` candidates, best first, equal ones by index, those without a score last.

    Args:
        rows: scores [Q, N] of the queries with these indices.
        size: N.
        top: how many to find, or N if that is less.

    Returns:
        Indices into the gallery, int64 [N, min(top, N)].
    """
    chunks = [np.arange(start, min(start + QUERIES_AT_ONCE, size)) for start in range(0, size, QUERIES_AT_ONCE)]
    return np.concatenate([np.argsort(-rows(chunk), axis=1, kind="stable")[:, :top] for chunk in chunks])


def put_on_top(first_QN: Scores, best_QK: Indices, second_QK: Scores) -> NDArray[np.float64]:
    """Merge two stages into one score: the second's order on top, the first's order below.

    The merged scores are places in that order, equal where the scores of the deciding stage are equal, and NaN
    where that stage has none.
    """
    merged_QN = _places(first_QN)
    np.put_along_axis(merged_QN, best_QK, first_QN.shape[1] + _places(second_QK), axis=1)
    return merged_QN


def _places(scores_QC: Scores) -> NDArray[np.float64]:
    places_QC = np.empty(scores_QC.shape)
    for places_C, scores_C in zip(places_QC, scores_QC, strict=True):
        places_C[:] = np.unique(scores_C, return_inverse=True)[1]
    return np.where(np.isnan(scores_QC), np.nan, places_QC)


def _rank_rows(
    gallery: Gallery, rows_of: Callable[[Direction], Callable[[Indices], Scores]]
) -> dict[tuple[Notion, Direction], NDArray[np.float64]]:
    labels = (gallery.groups, np.arange(len(gallery)))
    return {
        (notion, direction): ranks_N
        for direction in DIRECTIONS
        for notion, ranks_N in zip(
            NOTIONS, rank_gallery(rows_of(direction), labels, chunk=QUERIES_AT_ONCE), strict=True
        )
    }


def _rows(block: Block, direction: Direction, size: int) -> Callable[[Indices], Scores]:
    everything = np.arange(size)
    if direction == "text_to_image":
        return lambda queries: block(queries, everything)
    return lambda queries: block(everything, queries).T


def _as_pairs(direction: Direction, queries: Indices, candidates: Indices) -> tuple[Indices, Indices]:
    return (queries, candidates) if direction == "text_to_image" else (candidates, queries)
