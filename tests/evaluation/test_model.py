"""Scores that survive an interruption."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fashionbert.evaluation.model import KeptScores
from fashionbert.scoring import match_probability

Indices: TypeAlias = NDArray[np.int64]


class Counting:
    """Scores pair (t, p) as t - p / 8 and remembers what it was asked."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.asked: list[tuple[int, int]] = []
        self._fail_after = fail_after

    def __call__(self, texts: Indices, pictures: Indices) -> NDArray[np.float32]:
        if self._fail_after is not None and len(self.asked) >= self._fail_after:
            raise KeyboardInterrupt
        self.asked += zip(texts.tolist(), pictures.tolist(), strict=True)
        return (texts - pictures / 8).astype(np.float32)


def pairs(*places: tuple[int, int]) -> tuple[Indices, Indices]:
    texts, pictures = np.asarray(places).T
    return texts, pictures


def test_each_pair_is_scored_once(tmp_path: Path) -> None:
    scorer = Counting()
    kept = KeptScores(tmp_path, 9, "key", scorer)
    assert kept(*pairs((1, 2), (3, 4))).tolist() == [0.75, 2.5]
    assert kept(*pairs((3, 4), (8, 8), (1, 2))).tolist() == [2.5, 7.0, 0.75]
    assert scorer.asked == [(1, 2), (3, 4), (8, 8)]


def test_what_was_scored_before_an_interruption_is_not_scored_again(tmp_path: Path) -> None:
    kept = KeptScores(tmp_path, 9, "key", Counting(fail_after=2))
    kept(*pairs((1, 2), (3, 4)))
    with pytest.raises(KeyboardInterrupt):
        kept(*pairs((5, 6)))
    again = Counting()
    assert KeptScores(tmp_path, 9, "key", again)(*pairs((1, 2), (5, 6), (3, 4))).tolist() == [0.75, 4.25, 2.5]
    assert again.asked == [(5, 6)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=30), max_size=4))
def test_kept_scores_are_those_of_the_scorer(calls: list[list[tuple[int, int]]]) -> None:
    """Pairs in any order, side by side in the file and scattered over it, some of them twice in a call."""
    with TemporaryDirectory() as folder:
        for call in calls:  # the file is opened anew each time
            found = KeptScores(Path(folder), 9, "key", Counting())(*pairs(*call))
            np.testing.assert_allclose(found, Counting()(*pairs(*call)), atol=1e-20)


def test_a_score_of_zero_is_known_too(tmp_path: Path) -> None:
    scorer = Counting()
    kept = KeptScores(tmp_path, 9, "key", scorer)
    for _ in range(2):
        np.testing.assert_allclose(kept(*pairs((0, 0), (1, 8))), [0.0, 0.0], atol=1e-20)
    assert scorer.asked == [(0, 0), (1, 8)]


@pytest.mark.parametrize(("size", "key"), [(9, "other weights"), (10, "key")])
def test_scores_of_another_model_or_gallery_are_thrown_away(tmp_path: Path, size: int, key: str) -> None:
    KeptScores(tmp_path, 9, "key", Counting())(*pairs((1, 2)))
    scorer = Counting()
    KeptScores(tmp_path, size, key, scorer)(*pairs((1, 2)))
    assert scorer.asked == [(1, 2)]


@pytest.mark.parametrize("name", ["margins.npy", "margins.json"])
def test_a_lost_file_starts_anew(tmp_path: Path, name: str) -> None:
    KeptScores(tmp_path, 9, "key", Counting())(*pairs((1, 2)))
    (tmp_path / name).unlink()
    scorer = Counting()
    assert KeptScores(tmp_path, 9, "key", scorer)(*pairs((1, 2))).tolist() == [0.75]
    assert scorer.asked == [(1, 2)]


def test_an_unreadable_key_starts_anew(tmp_path: Path) -> None:
    KeptScores(tmp_path, 9, "key", Counting())(*pairs((1, 2)))
    (tmp_path / "margins.json").write_text("{")
    scorer = Counting()
    KeptScores(tmp_path, 9, "key", scorer)(*pairs((1, 2)))
    assert scorer.asked == [(1, 2)]


def test_probabilities_stay_apart_where_float32_would_not() -> None:
    margins = np.array([0.0, np.log(3.0), 20.0, 21.0], np.float32)
    found = match_probability(margins)
    np.testing.assert_allclose(found[:2], [0.5, 0.75], atol=1e-7)
    assert found[2] < found[3] < 1.0
    assert np.float32(found[2]) == np.float32(found[3])


def test_a_file_that_was_cut_off_is_begun_anew(tmp_path: Path) -> None:
    KeptScores(tmp_path, 9, "key", Counting())(*pairs((1, 2)))
    path = tmp_path / "margins.npy"
    path.write_bytes(path.read_bytes()[:-9])
    assert KeptScores(tmp_path, 9, "key", Counting())(*pairs((1, 2))).tolist() == [0.75]
