from random import Random
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from fashionbert.evaluation.ranking import (
    chance_recall,
    mean_rank,
    mean_reciprocal_rank,
    pessimistic_order,
    rank_gallery,
    rank_lists,
    recall_at,
    recall_at_all,
)

Lists: TypeAlias = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]
"""Scores, which are relevant and which are present, each [Q, C]."""

NAN, INF = float("nan"), float("inf")


def naive_rank(scores: list[float], relevant: list[bool], present: list[bool]) -> float:
    """Follow the definition word by word, one candidate at a time."""
    answers = [s for s, r, p in zip(scores, relevant, present, strict=True) if r and p and s == s]
    if not answers:
        return INF
    best, rank = max(answers), 1
    for score, is_relevant, is_there in zip(scores, relevant, present, strict=True):
        if is_there and not is_relevant and not score < best:
            rank += 1
    return rank


def rank_of(scores: list[float], relevant: list[int]) -> float:
    relevant_QC = np.zeros((1, len(scores)), dtype=bool)
    relevant_QC[0, relevant] = True
    return rank_lists(np.array([scores]), relevant_QC).item()


@pytest.mark.parametrize(
    ("scores", "relevant", "rank"),
    [
        ([0.9, 0.5, 0.1], [0], 1),
        ([0.5, 0.9, 0.1], [0], 2),
        ([0.5, 0.5, 0.1], [0], 2),  # a tie counts against
        ([0.5, 0.5, 0.5], [1], 3),
        ([0.2, 0.9, 0.1], [0, 1], 1),  # the best relevant one counts
        ([0.2, 0.3, 0.9], [0, 1], 2),  # and the other one does not push it down
        ([0.5, NAN, 0.1], [0], 2),  # a candidate without a score never helps
        ([NAN, 0.5, 0.1], [0], INF),  # a truth without a score is missed
        ([NAN, 0.5, 0.1], [0, 2], 2),
        ([NAN, NAN, NAN], [0], INF),
        ([-INF, 0.5, -INF], [0], 3),
        ([INF, 0.5, 0.6], [0], 1),
        ([1.0], [0], 1),
        ([1.0, 2.0], [], INF),
    ],
)
def test_ranks_by_hand(scores: list[float], relevant: list[int], rank: float) -> None:
    assert rank_of(scores, relevant) == rank


def test_padding_is_no_candidate() -> None:
    scores_QC = np.array([[0.5, 0.9, NAN], [0.5, 0.9, 0.8]])
    relevant_QC = np.array([[True, False, False]] * 2)
    present_QC = np.array([[True, True, False], [True, False, False]])
    assert rank_lists(scores_QC, relevant_QC, present_QC).tolist() == [2, 1]


def some_lists() -> st.SearchStrategy[Lists]:
    few_values = st.sampled_from([0.0, 0.25, 0.5, 1.0, -1.0, INF, -INF, NAN])
    shape = st.tuples(st.integers(1, 4), st.integers(1, 7))
    return shape.flatmap(
        lambda shape: st.tuples(
            npst.arrays(np.float64, shape, elements=few_values),
            npst.arrays(np.bool_, shape),
            npst.arrays(np.bool_, shape),
        )
    )


@given(some_lists())
def test_ranks_are_those_of_the_naive_reference(
    lists: Lists,
) -> None:
    expected = [naive_rank(*(row.tolist() for row in rows)) for rows in zip(*lists, strict=True)]
    assert rank_lists(*lists).tolist() == expected


@given(some_lists(), st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(lists: Lists, random: Random) -> None:
    columns = list(range(lists[0].shape[1]))
    random.shuffle(columns)
    scores_QC, relevant_QC, present_QC = lists
    shuffled = rank_lists(scores_QC[:, columns], relevant_QC[:, columns], present_QC[:, columns])
    assert shuffled.tolist() == rank_lists(*lists).tolist()


@given(npst.arrays(np.float64, (3, 5), elements=st.integers(-3, 3)), st.integers(1, 4))
def test_a_better_score_of_the_truth_never_makes_its_rank_worse(scores_QC: NDArray[np.float64], gain: int) -> None:
    relevant_QC = np.zeros((3, 5), dtype=bool)
    relevant_QC[:, 2] = True
    better_QC = scores_QC + gain * relevant_QC
    assert np.all(rank_lists(better_QC, relevant_QC) <= rank_lists(scores_QC, relevant_QC))
    strictly_rising = np.exp(scores_QC) * 3 - 1
    assert rank_lists(strictly_rising, relevant_QC).tolist() == rank_lists(scores_QC, relevant_QC).tolist()


@given(some_lists())
def test_the_pessimistic_order_puts_the_best_answer_at_its_rank(lists: Lists) -> None:
    scores_QC, relevant_QC, _ = lists
    for scores_C, relevant_C in zip(scores_QC, relevant_QC, strict=True):
        order = pessimistic_order(scores_C, relevant_C)
        assert sorted(order.tolist()) == list(range(len(scores_C)))
        rank = rank_lists(scores_C[None], relevant_C[None]).item()
        if np.isfinite(rank):
            assert int(np.flatnonzero(relevant_C[order])[0]) + 1 == rank


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_a_gallery_is_ranked_as_its_rows_are(chunk: int) -> None:
    rng = np.random.default_rng(0)
    scores_NN = rng.integers(6, size=(10, 10)).astype(float)
    scores_NN[rng.random((10, 10)) < 0.1] = NAN
    groups_N = np.array([0, 0, 1, 1, 1, 2, 3, 4, 5, 5])
    by_group, by_product = rank_gallery(lambda rows: scores_NN[rows], [groups_N, np.arange(10)], chunk)
    everything = [True] * 10
    for query in range(10):
        kin = (groups_N == groups_N[query]).tolist()
        itself = (np.arange(10) == query).tolist()
        assert by_group[query] == naive_rank(scores_NN[query].tolist(), kin, everything)
        assert by_product[query] == naive_rank(scores_NN[query].tolist(), itself, everything)


def test_figures_by_hand() -> None:
    ranks = np.array([1, 2, 4, INF])
    assert [recall_at(ranks, k) for k in (1, 2, 3, 4, 1000)] == [0.25, 0.5, 0.5, 0.75, 0.75]
    assert recall_at_all(ranks) == 0.75
    assert mean_reciprocal_rank(ranks) == (1 + 1 / 2 + 1 / 4 + 0) / 4
    assert mean_rank(ranks, np.array([10, 10, 10, 10])) == (1 + 2 + 4 + 11) / 4


def test_chance_by_hand() -> None:
    one = np.array([1])
    assert chance_recall(np.array([101]), one, 5) == pytest.approx(5 / 101)
    assert chance_recall(np.array([4]), np.array([2]), 1) == pytest.approx(1 / 2)
    assert chance_recall(np.array([4]), np.array([2]), 2) == pytest.approx(1 - 2 / 4 * 1 / 3)
    assert chance_recall(np.array([3]), one, 10) == 1.0
    assert chance_recall(np.array([2, 4]), np.array([1, 1]), 1) == pytest.approx((1 / 2 + 1 / 4) / 2)


def test_chance_is_what_random_scores_reach() -> None:
    rng = np.random.default_rng(0)
    relevant_QC = np.zeros((40_000, 12), dtype=bool)
    relevant_QC[:, :3] = True
    ranks = rank_lists(rng.random(relevant_QC.shape), relevant_QC)
    for k in (1, 2, 5):
        chance = chance_recall(np.array([12]), np.array([3]), k)
        assert recall_at(ranks, k) == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / 40_000))
