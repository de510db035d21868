"""Which wrong text or picture a product is confronted with; never one of its own group.

Letters: B positives, C candidates, N rows of the training split.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PairRows:
    """Pairs as row numbers of the training split, positives first.

    Attributes:
        texts: row whose text is read [n].
        pictures: row whose picture is read [n].
        labels: 1 where they belong together [n].
    """

    texts: NDArray[np.int64]
    pictures: NDArray[np.int64]
    labels: NDArray[np.int64]


class NegativeSampler:
    """Draws rows of other groups, from the same subcategory or from anywhere."""

    def __init__(self, groups: NDArray[np.int64], subcategories: NDArray[np.int64]) -> None:
        self._groups = groups
        self._subcategories = subcategories
        self._order = np.argsort(subcategories, kind="stable")
        sizes = np.bincount(subcategories)
        self._sizes = sizes[subcategories]
        self._starts = (np.cumsum(sizes) - sizes)[subcategories]
        largest_group = np.bincount(groups).max()
        if largest_group == len(groups):
            raise ValueError("all rows are of one group, so there are no negatives: train on two groups at least")

    def draw(
        self, rows: NDArray[np.int64], *, same_subcategory: bool, generator: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw one row of another group for each given row [B].

        Where a subcategory holds but one group, the negative comes from anywhere.

        Args:
            rows: rows that need a negative.
            same_subcategory: whether to stay within the row's subcategory (the released code's choice) or not.
            generator: source of the choice.
        """
        drawn = np.empty_like(rows)
        open_places = np.arange(len(rows))
        for attempt in range(100):
            wanted = rows[open_places]
            if same_subcategory and attempt < 20:
                places = self._starts[wanted] + (generator.random(len(wanted)) * self._sizes[wanted]).astype(np.int64)
                candidates = self._order[places]
            else:
                candidates = generator.integers(len(self._groups), size=len(wanted))
            drawn[open_places] = candidates
            open_places = open_places[self._groups[candidates] == self._groups[wanted]]
            if len(open_places) == 0:
                return drawn
        for place in open_places:
            others = np.flatnonzero(self._groups != self._groups[rows[place]])
            drawn[place] = generator.choice(others)
        return drawn


def draw_mined(
    similarities_BC: NDArray[np.float32],
    banned_BC: NDArray[np.bool_],
    sharpness: float,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw one candidate for each row with probability ``softmax(sharpness * similarity)``, banned ones never [B].

    Sharpness 0 draws evenly, so raising it over the training means easy negatives first. Drawn by the Gumbel trick:
    the largest of ``sharpness * similarity + Gumbel noise`` has just that distribution.

    Args:
        similarities_BC: cosine between each row and each candidate.
        banned_BC: True where the candidate is of the row's own group.
        sharpness: how strongly hard candidates are preferred.
        generator: source of the noise.

    Raises:
        ValueError: a row has no candidate that is not banned.
    """
    if banned_BC.all(axis=1).any():
        raise ValueError("a row has no candidate of another group: use larger batches or a queue")
    noise_BC = generator.gumbel(size=similarities_BC.shape)
    keys_BC = np.where(banned_BC, -np.inf, sharpness * similarities_BC + noise_BC)
    return keys_BC.argmax(axis=1)


def alternate_sides(positives: int, per_positive: int) -> NDArray[np.bool_]:
    """Say for each negative whether it swaps the text (True) or the picture (False) [k, B].

    Neighbours in a batch and the negatives of one positive alternate, so half of all swap the text.
    """
    return (np.arange(per_positive)[:, None] + np.arange(positives)[None, :]) % 2 == 0


def pair_rows(rows: NDArray[np.int64], wrong_kB: NDArray[np.int64], swap_text_kB: NDArray[np.bool_]) -> PairRows:
    """Join positives with the negatives drawn for them.

    Args:
        rows: the positives [B].
        wrong_kB: for each positive the rows that replace one of its sides.
        swap_text_kB: which side.

    Returns:
        ``B * (1 + k)`` pairs.
    """
    own_kB = np.broadcast_to(rows, wrong_kB.shape)
    return PairRows(
        texts=np.concatenate([rows, np.where(swap_text_kB, wrong_kB, own_kB).ravel()]),
        pictures=np.concatenate([rows, np.where(swap_text_kB, own_kB, wrong_kB).ravel()]),
        labels=np.concatenate([np.ones(len(rows), np.int64), np.zeros(wrong_kB.size, np.int64)]),
    )
