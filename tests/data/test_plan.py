import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fashionbert.data import epoch_batches


def lengths_of(count: int) -> NDArray[np.int64]:
    """Like the texts of a shop: most of 30 to 60 WordPieces, a long tail, none above 96."""
    drawn = np.random.default_rng(1).gamma(6.0, 8.0, count)
    return np.clip(drawn, 20, 96).astype(np.int64)


def padding(batches: list[NDArray[np.int64]], lengths: NDArray[np.int64]) -> float:
    laid_out = sum(len(batch) * lengths[batch].max() for batch in batches)
    return 1 - lengths.sum() / laid_out


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


@pytest.mark.parametrize("cluster_size", [1, 8])
def test_padding_stays_under_a_tenth(cluster_size: int) -> None:
    """8,600 texts in 60 subcategories of very different sizes."""
    lengths = lengths_of(8600)
    subcategories = np.random.default_rng(2).geometric(0.06, 8600)
    batches = epoch_batches(
        lengths, 64, np.random.default_rng(0), subcategories=subcategories, cluster_size=cluster_size
    )
    at_random = padding(np.array_split(np.random.default_rng(0).permutation(8600), len(batches)), lengths)
    assert padding(batches, lengths) < 0.10 < 0.40 < at_random


def test_clusters_are_of_one_subcategory() -> None:
    """Subcategories of whole clusters and batches of whole clusters: every eight rows in a line are of one kind."""
    subcategories = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 64))
    batches = epoch_batches(lengths_of(640), 32, np.random.default_rng(0), subcategories=subcategories, cluster_size=8)
    for batch in batches:
        for cluster in subcategories[batch].reshape(-1, 8):
            assert len(set(cluster)) == 1
    assert any(len(set(subcategories[batch])) > 1 for batch in batches)


def test_company_changes_from_epoch_to_epoch() -> None:
    generator = np.random.default_rng(0)
    lengths = lengths_of(16_000)
    epochs = [epoch_batches(lengths, 50, generator) for _ in range(2)]
    company = [{row: set(batch) for batch in batches for row in batch.tolist()} for batches in epochs]
    shared = [len(company[0][row] & company[1][row]) for row in range(0, 16_000, 16)]
    assert np.mean(shared) < 10  # of 50; sorting all rows by length would give about 50
