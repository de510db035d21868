"""How a long list of pairs is cut, so that each side is read once and memory stays small.

Letters: N pairs.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def portions(texts_N: NDArray[np.int64], pictures_N: NDArray[np.int64], limit: int) -> Iterator[slice]:
    """Cut pairs into runs that have at most ``limit`` different sides, each run as long as that allows.

    All pairs of some thousand texts and pictures are a single run, in which nothing is read twice.

    Args:
        texts_N: which text each pair has.
        pictures_N: which picture each pair has.
        limit: different texts and different pictures of a run, together; 2 at least.

    Yields:
        The runs, in order; together they are all pairs.
    """
    start = 0
    while start < len(texts_N):
        firsts = [np.unique(sides_N[start:], return_index=True)[1] for sides_N in (texts_N, pictures_N)]
        new_sides = np.sort(np.concatenate(firsts))
        end = start + int(new_sides[limit]) if len(new_sides) > limit else len(texts_N)
        yield slice(start, end)
        start = end
