from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert.catalogue.split import complete_splits, hold_out, normal_name, split_of_file

GROUPS = st.lists(st.integers(0, 30).map(str), min_size=1, max_size=200)


def column(values: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array([values], pa.large_string())


@given(GROUPS, st.floats(0, 1), st.integers(0, 5))
def test_groups_are_whole_and_the_share_is_within_the_largest_group(groups: list[str], share: float, seed: int) -> None:
    held = hold_out(column(groups), share, seed)
    inside = {group for group, out in zip(groups, held, strict=True) if out}
    outside = {group for group, out in zip(groups, held, strict=True) if not out}
    assert not inside & outside
    largest = max(groups.count(group) for group in groups)
    assert abs(int(held.sum()) - share * len(groups)) <= largest + 0.5
    if len(set(groups)) > 1 and 0 < share < 1:
        assert inside
        assert outside


@given(GROUPS, st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(groups: list[str], seed: int, random: Random) -> None:
    shuffled = random.sample(groups, len(groups))
    held = dict(zip(groups, hold_out(column(groups), 0.3, seed), strict=True))
    assert dict(zip(shuffled, hold_out(column(shuffled), 0.3, seed), strict=True)) == held


def test_groups_of_one_give_the_share_exactly_and_seeds_differ() -> None:
    groups = column([str(number) for number in range(1000)])
    first, second = hold_out(groups, 0.1, 0), hold_out(groups, 0.1, 1)
    assert first.sum() == second.sum() == 100
    assert (first != second).any()


def test_more_products_move_few_old_ones() -> None:
    ids = [str(number) for number in range(1100)]
    before = hold_out(column(ids[:1000]), 0.1, 0)
    after = hold_out(column(ids), 0.1, 0)[:1000]
    assert (before != after).sum() <= 20


def test_a_giant_group_is_passed_over() -> None:
    groups = ["giant"] * 90 + [str(number) for number in range(10)]
    held = hold_out(column(groups), 0.1, 0)
    assert held[:90].sum() == 0
    assert held[90:].sum() == 10


def test_only_a_training_split_is_cut() -> None:
    groups = column([str(number) for number in range(8)])
    unnamed = complete_splits(column([""] * 8), groups, 0.25, 0).to_pylist()
    assert sorted(unnamed) == ["train"] * 6 + ["validation"] * 2
    with_test = complete_splits(column(["train"] * 4 + ["test"] * 4), groups, 0.25, 0).to_pylist()
    assert sorted(with_test[:4]) == ["train"] * 3 + ["validation"]
    assert with_test[4:] == ["test"] * 4
    named = column(["train"] * 7 + ["validation"])
    assert complete_splits(named, groups, 0.25, 0).to_pylist() == named.to_pylist()
    assert complete_splits(column([""] * 8), groups, 0, 0).to_pylist() == ["train"] * 8
    assert complete_splits(column(["test"] * 8), groups, 0.25, 0).to_pylist() == ["test"] * 8


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-00000-of-00002.parquet", "train"),
        ("fashiongen_256_256_validation.h5", "validation"),
        ("VAL.csv", "validation"),
        ("dev.jsonl", "validation"),
        ("latest.csv", ""),
        ("training_shoes.csv", "train"),
        ("train_vs_test.csv", ""),
    ],
)
def test_file_names_tell_the_split(name: str, split: str) -> None:
    assert split_of_file(name) == split


def test_usual_names() -> None:
    assert [normal_name(name) for name in ("Val", "valid", " dev ", "TEST", "Holdout")] == [
        "validation", "validation", "validation", "test", "holdout",
    ]  # fmt: skip


def test_hold_out_gives_a_flag_a_product() -> None:
    assert hold_out(column(["a"]), 0.5, 0).dtype == np.bool_
