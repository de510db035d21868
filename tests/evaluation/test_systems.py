import numpy as np
import pytest

from fashionbert.evaluation.protocols import ABSENT
from fashionbert.evaluation.systems import ScoreTable, System, vector_system


def test_each_pair_is_scored_once_and_found_again() -> None:
    asked: list[tuple[int, int]] = []

    def score(texts: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        asked.extend(zip(texts.tolist(), pictures.tolist(), strict=True))
        return 10.0 * texts + pictures

    requests = [
        (np.array([[0, 1], [2, ABSENT]]), np.array([[4, 4], [3, ABSENT]])),
        (np.array([2, 0]), np.array([3, 4])),
    ]
    table = ScoreTable(System(name="s", score_pairs=score), requests, size=5)
    assert sorted(asked) == [(0, 4), (1, 4), (2, 3)]
    assert np.array_equal(table(*requests[0]), [[4, 14], [23, np.nan]], equal_nan=True)
    assert table(*requests[1]).tolist() == [23, 4]


def test_nothing_asked_is_nothing_scored() -> None:
    nothing = np.full((2, 2), ABSENT)
    table = ScoreTable(System(name="s", score_pairs=lambda texts, pictures: texts * 1.0), [(nothing, nothing)], size=5)
    assert np.isnan(table(nothing, nothing)).all()


def test_pairs_are_scored_in_portions_and_progress_counts_them() -> None:
    asked: list[int] = []
    seen: list[tuple[int, int]] = []

    def score(texts: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        asked.append(len(texts))
        return texts + pictures + 0.0

    system = System(name="s", score_pairs=score, pairs_at_once=4)
    scores = system.score_all(np.arange(10), np.arange(10), lambda *now: seen.append(now))
    assert asked == [4, 4, 2]
    assert scores.tolist() == [2.0 * n for n in range(10)]
    assert seen == [(4, 10), (8, 10), (10, 10)]


def test_a_wrong_number_of_scores_is_no_silent_broadcast() -> None:
    with pytest.raises(ValueError, match=r"scores \(1,\) for \(3,\) pairs"):
        System(name="s", score_pairs=lambda texts, pictures: np.zeros(1)).score_all(np.arange(3), np.arange(3))


def test_vectors_score_pairs_and_blocks_alike() -> None:
    texts, pictures = np.random.default_rng(0).normal(size=(2, 6, 4))
    system = vector_system("vectors", texts, pictures)
    assert system.score_block is not None
    block = system.score_block(np.array([5, 0]), np.array([1, 2, 3]))
    assert block.shape == (2, 3)
    assert block[0, 2] == pytest.approx(np.dot(texts[5], pictures[3]))
    assert system.score_pairs(np.array([5, 0]), np.array([3, 1])) == pytest.approx([block[0, 2], block[1, 0]])
    assert not system.probabilities
