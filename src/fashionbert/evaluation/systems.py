"""What is measured: a function from pairs of gallery indices to scores, and the table that asks each pair once.

Letters: M pairs, N products, A texts, B pictures, E vector size.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fashionbert.evaluation.protocols import ABSENT

Indices: TypeAlias = NDArray[np.int64]
Scores: TypeAlias = NDArray[np.floating[Any]]
ScorePairs: TypeAlias = Callable[[Indices, Indices], Scores]
"""Scores [M] of the texts of M products against the pictures of M products; NaN: no score."""
Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being scored, the pairs done and the pairs in all."""
Portions: TypeAlias = Callable[[int, int], None]

PAIRS_AT_ONCE = 8192


@dataclass(frozen=True, kw_only=True)
class System:
    """One way to score a text against a picture, higher is better.

    Attributes:
        name: what the report calls it.
        score_pairs: scores of single pairs.
        score_block: scores [A, B] of A texts against B pictures where that is cheaper than pair by pair, as it
            is for vectors; None where it is not.
        probabilities: whether scores are match probabilities, so that accuracy and calibration mean something.
        pairs_at_once: pairs that it is asked for together; what it has scored before an interruption is a whole number
            of such portions.
    """

    name: str
    score_pairs: ScorePairs
    score_block: Callable[[Indices, Indices], Scores] | None = None
    probabilities: bool = True
    pairs_at_once: int = PAIRS_AT_ONCE

    def score_all(self, texts_M: Indices, pictures_M: Indices, report: Portions | None = None) -> NDArray[np.float64]:
        """Score pairs in portions, telling ``report`` how many of them are done.

        Args:
            texts_M: index of each pair's text.
            pictures_M: index of each pair's picture.
            report: called after each portion with the pairs done and the pairs in all.

        Returns:
            Scores, float64 [M].

        Raises:
            ValueError: the system gave another number of scores than it was asked for.
        """
        scores_M = np.empty(len(texts_M))
        for start in range(0, len(texts_M), self.pairs_at_once):
            portion = slice(start, start + self.pairs_at_once)
            scores = np.asarray(self.score_pairs(texts_M[portion], pictures_M[portion]))
            if scores.shape != texts_M[portion].shape:
                raise ValueError(f"score_pairs gave scores {scores.shape} for {texts_M[portion].shape} pairs")
            scores_M[portion] = scores
            if report is not None:
                report(min(start + self.pairs_at_once, len(texts_M)), len(texts_M))
        return scores_M


def vector_system(name: str, texts_NE: Scores, pictures_NE: Scores) -> System:
    """Score by the inner product of unit vectors, float [N, E] for the texts and for the pictures."""
    return System(
        name=name,
        score_pairs=lambda texts, pictures: np.einsum("me,me->m", texts_NE[texts], pictures_NE[pictures]),
        score_block=lambda texts, pictures: texts_NE[texts] @ pictures_NE[pictures].T,
        probabilities=False,
    )


def labelled(progress: Progress | None, label: str) -> Portions | None:
    """Name the work that a progress callback hears of."""
    return None if progress is None else lambda done, total: progress(label, done, total)


class ScoreTable:
    """Scores of all pairs that several lists ask for, each pair scored once."""

    def __init__(
        self,
        system: System,
        requests: Sequence[tuple[Indices, Indices]],
        size: int,
        report: Portions | None = None,
    ) -> None:
        """Score the distinct pairs of ``requests`` over a gallery of ``size`` products, ABSENT left out."""
        self._size = size
        keys = [self._keys(texts, pictures)[texts != ABSENT] for texts, pictures in requests]
        self._known = np.unique(np.concatenate(keys)) if keys else np.empty(0, dtype=np.int64)
        self._scores = system.score_all(*np.divmod(self._known, size), report)

    def __call__(self, texts: Indices, pictures: Indices) -> NDArray[np.float64]:
        """Look up scores of pairs that were requested, in the shape of the indices; NaN for ABSENT."""
        scores = np.full(texts.shape, np.nan)
        asked = texts != ABSENT
        scores[asked] = self._scores[np.searchsorted(self._known, self._keys(texts, pictures)[asked])]
        return scores

    def _keys(self, texts: Indices, pictures: Indices) -> Indices:
        return texts * self._size + pictures
