import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fashionbert.data import WordMasking, drop_words, mask_patches, mask_words
from fashionbert.text import NO_WORD

MASK, CLS, SEP = 4, 2, 3
ORDINARY = np.arange(5, 500, dtype=np.int32)
SIZES = st.lists(st.integers(1, 5), max_size=30)


def text_of(sizes: list[int]) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """A text whose words have these numbers of pieces; piece i has the id 100 + i."""
    count = sum(sizes)
    ids = np.concatenate([[CLS], 100 + np.arange(count), [SEP]]).astype(np.int32)
    words = np.concatenate([[NO_WORD], np.repeat(np.arange(len(sizes)), sizes), [NO_WORD]]).astype(np.int16)
    return ids, words


def masking(share: float = 0.15, most: int | None = None) -> WordMasking:
    return WordMasking(share=share, most=most, mask_id=MASK, ordinary_ids=ORDINARY)


@given(SIZES, st.floats(0, 0.99), st.none() | st.integers(1, 10), st.integers(0, 2**32))
def test_masked_words(sizes: list[int], share: float, most: int | None, seed: int) -> None:
    ids, words = text_of(sizes)
    before = ids.copy()
    masked = mask_words(ids, words, masking(share, most), np.random.default_rng(seed))
    assert (ids == before).all()
    chosen = np.isin(np.arange(len(ids)), masked.places)
    assert (np.diff(masked.places) > 0).all()
    assert (masked.labels == ids[chosen]).all()
    assert (masked.ids[~chosen] == ids[~chosen]).all()
    assert not chosen[words == NO_WORD].any()
    for word in range(len(sizes)):
        assert chosen[words == word].all() or not chosen[words == word].any()
    allowance = max(1, round(share * sum(sizes))) if share > 0 else 0
    assert len(masked.places) <= min(allowance, most or 999)
    changed = masked.ids[chosen]
    assert np.isin(changed[changed != ids[chosen]], np.append(ORDINARY, MASK)).all()


@given(st.integers(1, 60), st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_words_of_one_piece_fill_the_share(count: int, share: float, seed: int) -> None:
    masked = mask_words(*text_of([1] * count), masking(share), np.random.default_rng(seed))
    assert len(masked.places) == max(1, round(share * count))


def test_eighty_ten_ten() -> None:
    """100,000 pieces: five standard deviations are 0.6 % and 0.5 %; a random piece equals the old one 1 in 495."""
    generator = np.random.default_rng(0)
    ids, words = text_of([1] * 200)
    fates = np.zeros(3)
    for _ in range(1000):
        masked = mask_words(ids, words, masking(0.5), generator)
        now = masked.ids[masked.places]
        fates += [(now == MASK).sum(), ((now != MASK) & (now != masked.labels)).sum(), (now == masked.labels).sum()]
    np.testing.assert_allclose(fates / fates.sum(), [0.8, 0.1, 0.1], atol=0.006)


def test_every_word_is_masked_as_often() -> None:
    """5,000 texts of ten words, two of them masked: 1,000 each, standard deviation 28."""
    generator = np.random.default_rng(0)
    counts = np.zeros(12)
    for _ in range(5_000):
        counts[mask_words(*text_of([1] * 10), masking(0.2), generator).places] += 1
    assert counts[0] == counts[11] == 0
    np.testing.assert_allclose(counts[1:11], 1000, atol=142)


def test_same_generator_same_masks() -> None:
    first, second = (mask_words(*text_of([1, 3, 2] * 9), masking(), np.random.default_rng(7)) for _ in range(2))
    assert (first.ids == second.ids).all()
    assert (first.places == second.places).all()


@given(st.integers(0, 6), st.integers(1, 70), st.floats(0, 0.99), st.integers(0, 2**32))
def test_masked_patches_are_exactly_so_many(pairs: int, patches: int, share: float, seed: int) -> None:
    masked = mask_patches(pairs, patches, share, np.random.default_rng(seed))
    assert masked.shape == (pairs, patches)
    assert (masked.sum(axis=1) == round(share * patches)).all()


def test_paper_and_released_shares() -> None:
    generator = np.random.default_rng(0)
    assert mask_patches(1, 64, 0.10, generator).sum() == 6
    assert mask_patches(1, 64, 0.078125, generator).sum() == 5


def test_every_patch_is_masked_as_often() -> None:
    """20,000 pictures, one patch in four: 5,000 of each, standard deviation 61."""
    counts = mask_patches(20_000, 16, 0.25, np.random.default_rng(0)).sum(axis=0)
    np.testing.assert_allclose(counts, 5000, atol=305)


@given(SIZES, st.floats(0, 0.99), st.integers(0, 2**32))
def test_dropped_words(sizes: list[int], share: float, seed: int) -> None:
    ids, words = text_of(sizes)
    left_ids, left_words = drop_words(ids, words, share, np.random.default_rng(seed))
    numbers = set(left_words.tolist()) - {NO_WORD}
    assert len(sizes) - len(numbers) == max(0, min(round(share * len(sizes)), len(sizes) - 1))
    kept = np.isin(words, [NO_WORD, *numbers])
    assert left_ids.tolist() == ids[kept].tolist()
    assert left_words.tolist() == words[kept].tolist()


def test_every_word_may_be_dropped() -> None:
    ids, words = text_of([1, 2, 1])
    generator = np.random.default_rng(0)
    dropped = {(set(range(3)) - set(drop_words(ids, words, 0.4, generator)[1].tolist())).pop() for _ in range(50)}
    assert dropped == {0, 1, 2}
