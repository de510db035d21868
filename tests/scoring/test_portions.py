"""Runs of pairs: nothing lost, never above the limit, never shorter than need be."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert.scoring.portions import portions

Pairs = list[tuple[int, int]]


def sides(pairs: Pairs) -> int:
    return len({text for text, _ in pairs}) + len({picture for _, picture in pairs})


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40), st.integers(2, 12))
def test_runs_are_whole_and_as_long_as_the_limit_allows(pairs: Pairs, limit: int) -> None:
    columns = np.asarray(pairs, np.int64).reshape(-1, 2)
    runs = [pairs[run] for run in portions(columns[:, 0], columns[:, 1], limit)]
    assert [pair for run in runs for pair in run] == pairs
    assert all(sides(run) <= limit for run in runs)
    assert all(sides([*run, following[0]]) > limit for run, following in pairwise(runs))


@pytest.mark.parametrize(("limit", "count"), [(12, 1), (11, 2), (7, 6)])
def test_all_pairs_of_six_by_six(limit: int, count: int) -> None:
    """Text by text: 12 sides are one run; with 7, a text and its six pictures are one."""
    texts, pictures = (each.ravel() for each in np.meshgrid(np.arange(6), np.arange(6), indexing="ij"))
    assert len(list(portions(texts, pictures, limit))) == count
