"""The first stage: every product of the shelf against the vectors of a query, in milliseconds.

Letters: R rows (pictures), K terms of a query, E vector size, n rows found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fashionbert.search.shelf import Shelf

_RANK_OFFSET = 60
"""Of reciprocal rank fusion: how little the first places stand out (Cormack et al., SIGIR 2009)."""
_ANN_AT_ONCE = 1000
_COMPARED_ANYWAY = 10_000
"""Rows that a filter leaves, up to which all are compared: an approximate index would look past most of them."""
_MOST_PROPOSED = 0.25
"""Share of an index up to which its approximate index is asked for rows: it has parts that it never looks at."""
_READ_AT_ONCE = 50_000
"""Rows whose vectors are read from disk at a time."""
UNWANTED_SHARE = 0.5
"""How much the unwanted terms of a query weigh against the wanted ones."""


Nearest: TypeAlias = tuple[NDArray[np.int64], Callable[[NDArray[np.int64]], NDArray[np.float32]]]
"""Rows of the nearest cards, and a function that gives the similarities of rows."""


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a query.

    Attributes:
        vector: unit vector [E].
        wanted: whether what is found should be like it, or unlike it.
        similarity: to every row of the shelf, where it was computed for many terms at once [R].
    """

    vector: NDArray[np.float32]
    wanted: bool = True
    similarity: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the first stage found: a row for each card, the best picture of its group.

    Attributes:
        rows: rows of the shelf, best first [n].
        scores: similarity of each to the query [n].
        word_ranks: place of each among the cards whose text holds words of the query, from 0; infinite where it holds
            none, or words were not asked for [n].
        matches: cards that passed the filter.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    word_ranks: NDArray[np.float64]
    matches: int


def recall(
    shelf: Shelf,
    terms: Sequence[Term],
    mask_R: NDArray[np.bool_],
    limit: int,
    *,
    words: str = "",
) -> Recalled:
    """Find the cards nearest to a query.

    Args:
        shelf: the index.
        terms: of the query; without any, cards come in the order of the index.
        mask_R: rows that may be found.
        limit: cards wanted.
        words: cards whose text holds some of them are found too.

    Returns:
        At most ``limit`` cards.
    """
    matches = shelf.cards(mask_R)
    limit = min(limit, matches)
    if limit == 0:
        return _recalled(np.empty(0, np.int64), np.empty(0, np.float32), matches)
    if not terms:
        rows = _first_of_groups(shelf, np.flatnonzero(mask_R))[:limit]
        return _recalled(rows, np.zeros(len(rows), np.float32), matches)
    worded = _cards_with_words(shelf, words, mask_R, limit)
    near = _nearest if shelf.is_exact else _nearest_proposed
    rows, score_of = near(shelf, terms, mask_R, limit, worded)
    rows = fuse(shelf, rows, worded)[:limit] if len(worded) else rows
    rank_of = {group: rank for rank, group in enumerate(shelf.groups[worded].tolist())}
    word_ranks = np.asarray([rank_of.get(group, np.inf) for group in shelf.groups[rows].tolist()], np.float64)
    return Recalled(rows, score_of(rows), word_ranks, matches)


def _recalled(rows: NDArray[np.int64], scores: NDArray[np.float32], matches: int) -> Recalled:
    return Recalled(rows, scores, np.full(len(rows), np.inf), matches)


def combine(similarities: Sequence[tuple[NDArray[np.float32], bool]]) -> NDArray[np.float32]:
    """Add up how like each row is to the terms of a query.

    A text and a picture, or two pictures, are alike on different scales. With several terms each is therefore measured
    in deviations from its mean over the rows; wanted terms count by their mean, unwanted ones against it by theirs.

    Args:
        similarities: of the rows to each term [R], and whether the term is wanted.

    Returns:
        Scores [R].
    """
    if len(similarities) == 1 and similarities[0][1]:
        return similarities[0][0]
    wanted = [standardised(values) for values, is_wanted in similarities if is_wanted]
    unwanted = [standardised(values) for values, is_wanted in similarities if not is_wanted]
    scores_R = np.zeros_like(similarities[0][0])
    if wanted:
        scores_R = scores_R + np.mean(wanted, axis=0)
    if unwanted:
        scores_R = scores_R - UNWANTED_SHARE * np.mean(unwanted, axis=0)
    return scores_R


def reciprocal(ranks_n: NDArray[np.number]) -> NDArray[np.float64]:
    """What places in an order, from 0, count for when orders are joined [n]; 0 for an infinite one."""
    return 1.0 / (_RANK_OFFSET + ranks_n.astype(np.float64))


def fuse(shelf: Shelf, by_vector: NDArray[np.int64], by_words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join two orders of cards by reciprocal ranks; a group found by both keeps the row that its vector found."""
    scores: dict[int, float] = {}
    row_of: dict[int, int] = {}
    for rows in (by_vector, by_words):
        for row, counts in zip(rows.tolist(), reciprocal(np.arange(len(rows))).tolist(), strict=True):
            group = int(shelf.groups[row])
            row_of.setdefault(group, row)
            scores[group] = scores.get(group, 0.0) + counts
    order = sorted(scores, key=lambda group: -scores[group])
    return np.asarray([row_of[group] for group in order], np.int64)


def standardised(values_R: NDArray[np.floating]) -> NDArray[np.floating]:
    """Deviations from the mean, in standard deviations; zeros where all are equal."""
    deviation = float(values_R.std())
    return (values_R - values_R.mean()) / (deviation or 1.0)


def _cards_with_words(shelf: Shelf, words: str, mask_R: NDArray[np.bool_], limit: int) -> NDArray[np.int64]:
    """Rows whose text holds words best, one of each group."""
    scores_R = shelf.words.scores(words)
    rows = np.flatnonzero(mask_R & (scores_R > 0))
    return _best_cards(shelf, rows, scores_R[rows], limit)


def _best_cards(
    shelf: Shelf, rows_n: NDArray[np.int64], scores_n: NDArray[np.float32], limit: int
) -> NDArray[np.int64]:
    """Best row of each of the best groups among some rows; looks at more of them until there are enough groups."""
    count = min(len(rows_n), 2 * limit + 16)
    while True:
        rest = len(rows_n) - count
        best = np.argpartition(scores_n, rest)[rest:] if rest else np.arange(len(rows_n))
        best = best[np.lexsort((best, -scores_n[best]))]
        cards = _first_of_groups(shelf, rows_n[best])
        if len(cards) >= limit or count == len(rows_n):
            return cards[:limit]
        count = min(len(rows_n), 4 * count)


def _first_of_groups(shelf: Shelf, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first row of each group, in order."""
    return rows[np.sort(np.unique(shelf.groups[rows], return_index=True)[1])]


def _nearest(
    shelf: Shelf, terms: Sequence[Term], mask_R: NDArray[np.bool_], limit: int, _worded: NDArray[np.int64]
) -> Nearest:
    """Compare every row."""
    similarities = [
        shelf.similarities(term.vector[None])[0] if term.similarity is None else term.similarity for term in terms
    ]
    scores_R = combine([(values, term.wanted) for values, term in zip(similarities, terms, strict=True)])
    allowed = np.flatnonzero(mask_R)
    return _best_cards(shelf, allowed, scores_R[allowed], limit), scores_R.__getitem__


def _nearest_proposed(
    shelf: Shelf, terms: Sequence[Term], mask_R: NDArray[np.bool_], limit: int, worded: NDArray[np.int64]
) -> Nearest:
    """Let the approximate index propose rows, more and more until enough of them pass, and order those exactly.

    It looks through the parts of the space that lie near the query, and what a filter leaves may lie in none of them,
    however many rows are asked for: then all that the filter leaves is compared.
    """
    allowed = rows = np.flatnonzero(mask_R)
    wanted = max(_ANN_AT_ONCE, 4 * limit)
    while len(allowed) > _COMPARED_ANYWAY and wanted < _MOST_PROPOSED * len(shelf):
        rows = _proposed(shelf, terms, mask_R, wanted)
        if len(np.unique(shelf.groups[rows])) >= limit:
            break
        rows, wanted = allowed, 4 * wanted
    rows = np.union1d(rows, worded)
    similarities_Kn = _similarities_on_disk(shelf, terms, rows)
    scores_n = combine([(values, term.wanted) for values, term in zip(similarities_Kn, terms, strict=True)])
    order = np.argsort(-scores_n, kind="stable")
    best = _first_of_groups(shelf, rows[order])[:limit]
    return best, lambda asked: scores_n[np.searchsorted(rows, asked)]


def _similarities_on_disk(shelf: Shelf, terms: Sequence[Term], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Inner products of terms with rows whose vectors are not in memory [K, n], some rows at a time."""
    vectors_EK = np.stack([term.vector for term in terms], axis=1)
    similarities_nK = np.empty((len(rows), len(terms)), np.float32)
    for start in range(0, len(rows), _READ_AT_ONCE):
        here = slice(start, start + _READ_AT_ONCE)
        vectors = shelf.table.take(shelf.row_ids[rows[here]], ["vector"])["vector"].combine_chunks().flatten()
        similarities_nK[here] = vectors.to_numpy().reshape(-1, len(vectors_EK)) @ vectors_EK
    return similarities_nK.T


def _proposed(shelf: Shelf, terms: Sequence[Term], mask_R: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """Rows of the mask among the nearest of each wanted term; all rows of it where only unwanted terms are given."""
    count = min(count, len(shelf))
    near = [shelf.table.find_near(term.vector, count) for term in terms if term.wanted]
    found = [shelf.row_of_id[row_id] for row_ids in near for row_id in row_ids.tolist()]
    rows = np.unique(np.asarray(found, np.int64)) if near else np.arange(len(shelf))
    return rows[mask_R[rows]]
