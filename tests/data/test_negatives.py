import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert.data import (
    NegativeSampler,
    alternate_sides,
    draw_mined,
    epoch_batches,
    pair_rows,
    places_among,
)
from fashionbert.errors import CatalogueError

CATALOGUES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=2, max_size=40).filter(
    lambda rows: len({group for group, _ in rows}) > 1
)


@given(CATALOGUES, st.booleans(), st.integers(0, 2**32))
def test_never_of_the_own_group_and_of_the_same_subcategory_where_there_is_one(
    catalogue: list[tuple[int, int]], same_subcategory: bool, seed: int
) -> None:
    groups, subcategories = np.asarray(catalogue, np.int64).T
    sampler = NegativeSampler(groups, subcategories, np.arange(len(groups)))
    rows = np.arange(len(groups))
    drawn = sampler.draw(rows, same_subcategory=same_subcategory, generator=np.random.default_rng(seed))
    assert (groups[drawn] != groups[rows]).all()
    if same_subcategory:
        for row, other in zip(rows, drawn, strict=True):
            near = (subcategories == subcategories[row]) & (groups != groups[row])
            assert near[other] or not near.any()


@pytest.mark.parametrize("same_subcategory", [True, False])
def test_every_allowed_row_is_as_likely(same_subcategory: bool) -> None:
    """Row 0 has the group mates 1 and 4; rows 2, 3 are near, 5, 6, 7 far."""
    groups, subcategories = np.array([0, 0, 1, 2, 0, 3, 4, 4]), np.array([0, 0, 0, 0, 0, 1, 1, 1])
    sampler = NegativeSampler(groups, subcategories, np.full(8, 7))
    rows = np.zeros(30_000, np.int64)
    drawn = sampler.draw(rows, same_subcategory=same_subcategory, generator=np.random.default_rng(0))
    allowed = [2, 3] if same_subcategory else [2, 3, 5, 6, 7]
    counts = np.bincount(drawn, minlength=8)
    assert np.flatnonzero(counts).tolist() == allowed
    np.testing.assert_allclose(counts[allowed], 30_000 / len(allowed), atol=450)  # five deviations and more


def test_a_large_group_in_a_subcategory_does_not_drive_its_negatives_out() -> None:
    groups = np.array([0] * 99 + [1, 2])
    sampler = NegativeSampler(groups, np.array([0] * 100 + [1]), np.full(101, 7))
    drawn = sampler.draw(np.zeros(500, np.int64), same_subcategory=True, generator=np.random.default_rng(0))
    assert set(drawn) == {99}


@pytest.mark.parametrize("same_subcategory", [True, False])
def test_wrong_texts_need_little_padding_and_are_not_known_by_their_length(same_subcategory: bool) -> None:
    """8,600 texts of 20 to 96 WordPieces beside 64 patches, every other pair with the text of another product."""
    lengths = np.clip(np.random.default_rng(1).gamma(6.0, 8.0, 8600), 20, 96).astype(np.int64)
    sampler = NegativeSampler(np.arange(8600), np.random.default_rng(2).geometric(0.06, 8600), lengths)
    generator = np.random.default_rng(3)
    laid_out = real = 0
    right, wrong = [], []
    for rows in epoch_batches(lengths, 64, generator):
        drawn = sampler.draw(rows, same_subcategory=same_subcategory, generator=generator)
        swap_text = alternate_sides(len(rows), 1)
        texts = pair_rows(rows, drawn[None], swap_text).texts
        laid_out += len(texts) * (lengths[texts].max() + 64)
        real += (lengths[texts] + 64).sum()
        right.append(lengths[rows])
        wrong.append(lengths[drawn[swap_text[0]]])
    assert laid_out / real < 1.1
    ordered = np.sort(np.concatenate(right))
    places = [np.searchsorted(ordered, np.concatenate(wrong), side).mean() / len(ordered) for side in ("left", "right")]
    assert np.mean(places) == pytest.approx(0.5, abs=0.01)  # ROC AUC of the length alone


def test_of_rows_as_near_in_length_each_is_as_likely() -> None:
    """Row 0 has 20 WordPieces; 4 rows are one off, above and below, and of 16 tries one at least finds them."""
    lengths = np.array([20, 19, 19, 21, 21, 5, 90])
    sampler = NegativeSampler(np.arange(7), np.zeros(7, np.int64), lengths)
    drawn = sampler.draw(np.zeros(20_000, np.int64), same_subcategory=False, generator=np.random.default_rng(0))
    counts = np.bincount(drawn, minlength=7)
    assert np.flatnonzero(counts).tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(counts[1:5], 5000, atol=330)


def test_nobody_to_draw_for() -> None:
    sampler = NegativeSampler(np.arange(3), np.zeros(3, np.int64), np.arange(3))
    none = np.empty(0, np.int64)
    assert len(sampler.draw(none, same_subcategory=True, generator=np.random.default_rng(0))) == 0


def test_a_single_group_is_refused() -> None:
    with pytest.raises(CatalogueError, match="single group of 3 rows") as caught:
        NegativeSampler(np.zeros(3, np.int64), np.arange(3), np.arange(3))
    assert "two groups at least" in caught.value.faults[0]


@pytest.mark.parametrize("sharpness", [0.0, 2.0, 20.0])
def test_mined_negatives_follow_the_softmax(sharpness: float) -> None:
    """20,000 rows with the same four candidates, one of them banned; five standard deviations are 1.8 %."""
    similarities = np.tile(np.array([0.9, 0.1, 0.15, 0.99], np.float32), (20_000, 1))
    banned = np.tile([False, False, False, True], (20_000, 1))
    (drawn,) = draw_mined(similarities, banned, sharpness, np.random.default_rng(0))
    expected = np.exp(sharpness * np.array([0.9, 0.1, 0.15]))
    shares = np.bincount(drawn, minlength=4) / 20_000
    np.testing.assert_allclose(shares, [*(expected / expected.sum()), 0.0], atol=0.018)


def test_the_even_ones_are_drawn_from_what_the_sharp_ones_left() -> None:
    """Sharpness 1,000: the first is always column 0; the second is each of the other two allowed ones half the time."""
    similarities = np.tile(np.array([0.9, 0.1, 0.5, 0.99], np.float32), (20_000, 1))
    banned = np.tile([False, False, False, True], (20_000, 1))
    sharp, even = draw_mined(similarities, banned, 1000.0, np.random.default_rng(0), 2, 1)
    assert (sharp == 0).all()
    shares = np.bincount(even, minlength=4) / 20_000
    np.testing.assert_allclose(shares, [0, 0.5, 0.5, 0], atol=0.018)


@given(st.integers(0, 2**32), st.integers(1, 7), st.floats(0, 1))
def test_several_of_a_row_differ_as_long_as_there_are_others(seed: int, count: int, share: float) -> None:
    generator = np.random.default_rng(seed)
    banned = generator.random((6, 5)) < 0.4
    banned[np.arange(6), generator.integers(5, size=6)] = False
    even = round(share * count)
    drawn = draw_mined(generator.random((6, 5), np.float32), banned, 3.0, generator, count, even)
    assert drawn.shape == (count, 6)
    for row, columns in enumerate(drawn.T):
        assert not banned[row, columns].any()
        assert len(set(columns.tolist())) == min(count, int((~banned[row]).sum()))


def test_nobody_to_be_mined_from() -> None:
    banned = np.array([[False, True], [True, True]])
    with pytest.raises(ValueError, match="use larger batches or a queue"):
        draw_mined(np.zeros((2, 2), np.float32), banned, 1.0, np.random.default_rng(0))


def test_half_of_the_negatives_swap_the_text() -> None:
    assert alternate_sides(3, 2).tolist() == [[True, False, True], [False, True, False]]
    for positives in (4, 5):
        swapped = alternate_sides(positives, 2)
        assert swapped.sum() * 2 == swapped.size


def test_pairs_by_hand() -> None:
    rows, wrong = np.array([10, 11]), np.array([[20, 21], [30, 31]])
    pairs = pair_rows(rows, wrong, np.array([[True, False], [False, True]]))
    assert pairs.texts.tolist() == [10, 11, 20, 11, 10, 31]
    assert pairs.pictures.tolist() == [10, 11, 10, 21, 30, 11]
    assert pairs.labels.tolist() == [1, 1, 0, 0, 0, 0]


def test_places_by_hand() -> None:
    foreign, places = places_among(np.array([30, 10, 20]), np.array([30, 10, 20, 99, 10, 5, 99]))
    assert foreign.tolist() == [5, 99]
    assert places.tolist() == [0, 1, 2, 4, 1, 3, 4]


@given(st.lists(st.integers(0, 30), min_size=1, unique=True), st.lists(st.integers(0, 60), min_size=1))
def test_places_give_back_what_was_asked_for(own: list[int], asked: list[int]) -> None:
    foreign, places = places_among(np.array(own), np.array(asked))
    assert np.concatenate([own, foreign])[places].tolist() == asked
    assert not set(foreign.tolist()) & set(own)
