"""Which wrong text or picture a product is confronted with; never one of its own group.

Letters: B positives, C candidates, N rows of the training split, t tries.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import CatalogueError

_TRIES = 16


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
    """Draws rows of other groups, from the same subcategory or from anywhere.

    A batch is of texts of like length, and a single long text from elsewhere would have all its pairs padded. So of
    sixteen rows, each equally likely, that is taken whose text is nearest in length to the row's own. Nearest, not
    shortest: wrong texts that were shorter on the whole than right ones would be known by it.
    """

    def __init__(self, groups: NDArray[np.int64], subcategories: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        """Lay the rows out.

        Args:
            groups: group of each row [N].
            subcategories: subcategory of each row [N].
            lengths: WordPieces of each row's text [N].

        Raises:
            CatalogueError: all rows are of one group, so there are no negatives.
        """
        self._near = _Layout(subcategories, groups)
        self._anywhere = _Layout(np.zeros_like(groups), groups)
        self._lengths = lengths
        if not self._anywhere.others.any():
            raise CatalogueError(
                f"the training split is a single group of {len(groups)} rows: there are no wrong pairs to learn from",
                ["train on two groups at least; check the column that group_id is read from"],
            )

    def draw(
        self, rows: NDArray[np.int64], *, same_subcategory: bool, generator: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw one row of another group for each given row.

        Where a subcategory holds but one group, the negative comes from anywhere.

        Args:
            rows: rows that need a negative [B].
            same_subcategory: whether to stay within the row's subcategory (the released code's choice) or not.
            generator: source of the choice.

        Returns:
            Row numbers [B].
        """
        near_B = same_subcategory & (self._near.others[rows] > 0)
        drawn_tB = np.empty((_TRIES, len(rows)), np.int64)
        for drawn_B in drawn_tB:
            drawn_B[near_B] = self._near.draw(rows[near_B], generator)
            drawn_B[~near_B] = self._anywhere.draw(rows[~near_B], generator)
        distance_tB = np.abs(self._lengths[drawn_tB] - self._lengths[rows])
        return drawn_tB[distance_tB.argmin(axis=0), np.arange(len(rows))]


class _Layout:
    """Rows ordered by pool and then by group: the rows of a pool that a row may get are all but one block."""

    def __init__(self, pools: NDArray[np.int64], groups: NDArray[np.int64]) -> None:
        blocks = pools * (groups.max() + 1) + groups
        self._order = np.argsort(blocks, kind="stable")
        self._pool_start = np.searchsorted(pools[self._order], pools)
        self._own_start = np.searchsorted(blocks[self._order], blocks)
        self._own_size = np.searchsorted(blocks[self._order], blocks, side="right") - self._own_start
        pool_size = np.searchsorted(pools[self._order], pools, side="right") - self._pool_start
        self.others = pool_size - self._own_size

    def draw(self, rows: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
        places = self._pool_start[rows] + generator.integers(self.others[rows])
        places += np.where(places >= self._own_start[rows], self._own_size[rows], 0)
        return self._order[places]


def draw_mined(
    similarities_BC: NDArray[np.float32],
    banned_BC: NDArray[np.bool_],
    sharpness: float,
    generator: np.random.Generator,
    count: int = 1,
    even: int = 0,
) -> NDArray[np.int64]:
    """Draw candidates for each row with probability ``softmax(sharpness * similarity)``, banned ones never.

    Sharpness 0 draws evenly, so raising it over the training means easy negatives first. Drawn by the Gumbel trick:
    the largest of ``sharpness * similarity + Gumbel noise`` has just that distribution, and the ``count`` largest are
    draws without putting back. The last ``even`` of them are drawn evenly from those that are left: a model that
    meets nothing but look-alikes forgets what tells a dress from a shoe.

    Args:
        similarities_BC: cosine between each row and each candidate.
        banned_BC: True where the candidate is of the row's own group.
        sharpness: how strongly hard candidates are preferred.
        generator: source of the noise.
        count: how many for each row; a row with fewer candidates has some of them again.
        even: how many of these are drawn evenly.

    Returns:
        Columns of each row's candidates [count, B], those drawn evenly last.

    Raises:
        ValueError: a row has no candidate that is not banned.
    """
    allowed_B = (~banned_BC).sum(axis=1)
    if (allowed_B == 0).any():
        raise ValueError("a row has no candidate of another group: use larger batches or a queue")
    noise_BC = generator.gumbel(size=similarities_BC.shape)
    keys_BC = np.where(banned_BC, -np.inf, sharpness * similarities_BC + noise_BC)
    best_BC = np.argsort(-keys_BC, axis=1, kind="stable")
    if even:
        left_BC = best_BC[:, count - even :]
        noise_BL = generator.gumbel(size=left_BC.shape)
        noise_BL[np.take_along_axis(banned_BC, left_BC, axis=1)] = -np.inf
        order_BL = np.argsort(-noise_BL, axis=1, kind="stable")
        best_BC[:, count - even :] = np.take_along_axis(left_BC, order_BL, axis=1)
    places_kB = np.arange(count)[:, None] % allowed_B[None]
    return best_BC[np.arange(len(best_BC))[None], places_kB]


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
        swap_text_kB: True where it is the text, False where it is the picture.

    Returns:
        ``B * (1 + k)`` pairs.
    """
    own_kB = np.broadcast_to(rows, wrong_kB.shape)
    return PairRows(
        texts=np.concatenate([rows, np.where(swap_text_kB, wrong_kB, own_kB).ravel()]),
        pictures=np.concatenate([rows, np.where(swap_text_kB, own_kB, wrong_kB).ravel()]),
        labels=np.concatenate([np.ones(len(rows), np.int64), np.zeros(wrong_kB.size, np.int64)]),
    )


def places_among(own_rows: NDArray[np.int64], asked: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find where rows stand once the rows of a batch have been read and the foreign ones are read behind them.

    Args:
        own_rows: rows of the batch, all different [B].
        asked: rows that pairs need [N].

    Returns:
        The foreign rows, each once [U], and for each asked row its place among own and foreign rows [N].
    """
    foreign = np.setdiff1d(asked, own_rows)
    everything = np.concatenate([own_rows, foreign])
    order = np.argsort(everything)
    return foreign, order[np.searchsorted(everything[order], asked)]
