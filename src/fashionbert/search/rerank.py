"""The second stage: the pair model reads the query with each of the recalled cards.

Letters: n cards of a query.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashionbert.scoring import KeptPictures


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankTask:
    """A query and the cards to put in order.

    Attributes:
        text: words that are wanted; empty: none.
        picture: record of a picture that is wanted; None: none.
        unwanted: words that are not.
        records: kept pictures of the cards [n].
        texts: words of the cards, which a wanted picture is read with [n].
    """

    text: str
    picture: NDArray[np.void] | None
    unwanted: tuple[str, ...]
    records: NDArray[np.void]
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Reranked:
    """How well the cards match.

    Attributes:
        margins: log-odds that everything wanted matches and nothing unwanted does [n].
        probabilities: the same as probabilities [n].
    """

    margins: NDArray[np.float64]
    probabilities: NDArray[np.float64]


def rerank(kept: KeptPictures, tasks: Sequence[RerankTask]) -> list[Reranked]:
    """Score the cards of several queries in one go, so that queries of several callers share the passes.

    Args:
        kept: of the model.
        tasks: the queries; each wants a text or a picture, or has something unwanted.

    Returns:
        The scores of each query's cards.
    """
    pairs = _Pairs()
    plans = [_plan(task, pairs) for task in tasks]
    margins_M = pairs.score(kept)
    return [_join(len(task.records), plan, margins_M) for task, plan in zip(tasks, plans, strict=True)]


@dataclass(frozen=True, slots=True)
class _Plan:
    wanted: list[slice]
    unwanted: list[slice]


class _Pairs:
    """Pairs of all queries in one list, as texts, records and which of them meet."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._records: list[NDArray[np.void]] = []
        self._record_count = 0
        self._text_of: list[NDArray[np.int64]] = []
        self._picture_of: list[NDArray[np.int64]] = []
        self._pair_count = 0

    def add_records(self, records: NDArray[np.void]) -> NDArray[np.int64]:
        places = np.arange(self._record_count, self._record_count + len(records))
        self._records.append(records)
        self._record_count += len(records)
        return places

    def add_texts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        places = np.arange(len(self._texts), len(self._texts) + len(texts))
        self._texts += texts
        return places

    def add(self, texts: NDArray[np.int64], pictures: NDArray[np.int64]) -> slice:
        texts, pictures = np.broadcast_arrays(texts, pictures)
        start, self._pair_count = self._pair_count, self._pair_count + len(texts)
        self._text_of.append(texts)
        self._picture_of.append(pictures)
        return slice(start, self._pair_count)

    def score(self, kept: KeptPictures) -> NDArray[np.float32]:
        if not self._pair_count:
            return np.zeros(0, np.float32)
        return kept.margins(
            self._texts, np.concatenate(self._text_of), np.concatenate(self._records), np.concatenate(self._picture_of)
        )


def _plan(task: RerankTask, pairs: _Pairs) -> _Plan:
    cards = pairs.add_records(task.records)
    wanted = []
    if task.text:
        wanted.append(pairs.add(pairs.add_texts([task.text]), cards))
    if task.picture is not None:
        wanted.append(pairs.add(pairs.add_texts(task.texts), pairs.add_records(task.picture)))
    return _Plan(wanted, [pairs.add(pairs.add_texts([text]), cards) for text in task.unwanted])


def _join(count: int, plan: _Plan, margins_M: NDArray[np.float32]) -> Reranked:
    """Mean of the wanted log-probabilities, and those of nothing unwanted added to it."""
    log_probability = np.zeros(count)
    if plan.wanted:
        log_probability += np.mean([_log_sigmoid(margins_M[pairs]) for pairs in plan.wanted], axis=0)
    for pairs in plan.unwanted:
        log_probability += _log_sigmoid(-margins_M[pairs])
    if len(plan.wanted) == 1 and not plan.unwanted:
        margins = margins_M[plan.wanted[0]].astype(np.float64)
    else:
        margins = log_probability - np.log(-np.expm1(np.minimum(log_probability, -1e-12)))
    return Reranked(margins, np.exp(log_probability))


def _log_sigmoid(margins: NDArray[np.float32]) -> NDArray[np.float64]:
    return -np.logaddexp(0.0, -margins.astype(np.float64))
