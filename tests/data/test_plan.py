import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fashionbert.config import load_settings
from fashionbert.data import drop_words, epoch_batches
from fashionbert.text import NO_WORD


def lengths_of(count: int) -> NDArray[np.int64]:
    """Like the texts of a shop: most of 30 to 60 WordPieces, a long tail, none above 96."""
    drawn = np.random.default_rng(1).gamma(6.0, 8.0, count)
    return np.clip(drawn, 20, 96).astype(np.int64)


def padding(batches: list[NDArray[np.int64]], lengths: NDArray[np.int64]) -> float:
    laid_out = sum(len(batch) * lengths[batch].max() for batch in batches)
    return 1 - lengths.sum() / laid_out


def after_dropping(lengths: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Lengths of texts, whose words have 1.14 pieces in the mean as H&M's have, when words are left out."""
    generator = np.random.default_rng(4)
    left = []
    for length in lengths.tolist():
        words = np.cumsum(generator.random(length) < 0.88).astype(np.int16)
        words[[0, -1]] = NO_WORD
        left.append(len(drop_words(np.zeros(length, np.int32), words, share, generator)[0]))
    return np.asarray(left)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 40), st.integers(1, 9), st.integers(0, 2**32))
def test_every_row_once_in_as_many_batches_every_epoch(count: int, size: int, cluster: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    subcategories = generator.integers(0, 5, count)
    batches = epoch_batches(
        generator.integers(2, 97, count), size, generator, subcategories=subcategories, cluster_size=cluster
    )
    assert sorted(np.concatenate(batches)) == list(range(count))
    assert len(batches) == -(-count // size)
    assert sorted(map(len, batches))[1:] == [size] * (len(batches) - 1)


def test_the_generator_decides_the_order() -> None:
    lengths = lengths_of(1000)
    first, again, other = (
        epoch_batches(lengths, 64, np.random.default_rng([0, epoch]), subcategories=lengths % 7, cluster_size=8)
        for epoch in (0, 0, 1)
    )
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert any((one != two).any() for one, two in zip(first, other, strict=True) if len(one) == len(two))


@pytest.mark.parametrize("preset", ["paper", "tiny", "fast"])
def test_padding_stays_under_a_tenth(preset: str) -> None:
    """8,600 texts in 99 subcategories of 1 to 2,200; words are left out after the plan is made."""
    chosen = load_settings(preset)
    size, lengths = chosen.training.batch_size, lengths_of(8600)
    batches = epoch_batches(
        lengths,
        size,
        np.random.default_rng(0),
        subcategories=(3 * np.random.default_rng(2).pareto(1.0, 8600)).clip(0, 99).astype(np.int64),
        cluster_size=chosen.training.cluster_size,
    )
    read = after_dropping(lengths, chosen.objectives.word_drop_share)
    at_random = padding(np.array_split(np.random.default_rng(0).permutation(8600), len(batches)), read)
    assert padding(batches, read) < 0.10 < 0.40 < at_random


def test_clusters_are_of_one_subcategory() -> None:
    """Subcategories of whole clusters and batches of whole clusters: every eight rows in a line are of one kind."""
    subcategories = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 64))
    lengths = np.random.default_rng(1).integers(50, 60, 640)
    batches = epoch_batches(lengths, 32, np.random.default_rng(0), subcategories=subcategories, cluster_size=8)
    for batch in batches:
        for cluster in subcategories[batch].reshape(-1, 8):
            assert len(set(cluster)) == 1
    assert any(len(set(subcategories[batch])) > 1 for batch in batches)


def test_a_small_subcategory_of_long_and_short_texts_makes_two_clusters() -> None:
    """One long text a subcategory: together they fill a batch, and the others are padded to none of them."""
    lengths = np.tile([90, 20, 21, 22, 23, 24], 16)
    batches = epoch_batches(
        lengths, 16, np.random.default_rng(0), subcategories=np.repeat(np.arange(16), 6), cluster_size=6
    )
    assert sorted(lengths[batch].max() for batch in batches) == [24] * 5 + [90]


def test_company_changes_from_epoch_to_epoch() -> None:
    generator = np.random.default_rng(0)
    lengths = lengths_of(16_000)
    epochs = [epoch_batches(lengths, 50, generator) for _ in range(2)]
    company = [{row: set(batch) for batch in batches for row in batch.tolist()} for batches in epochs]
    shared = [len(company[0][row] & company[1][row]) for row in range(0, 16_000, 16)]
    assert np.mean(shared) < 10  # of 50; sorting all rows by length would give about 50
