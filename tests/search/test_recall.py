"""The first stage, against orders computed by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fashionbert.search import SearchEngine
from fashionbert.search import recall as recall_module
from fashionbert.search.recall import (
    UNWANTED_SHARE,
    Recalled,
    Term,
    combine,
    fuse,
    recall,
    standardised,
)
from fashionbert.search.shelf import Shelf
from fashionbert.search.table import ViewTable
from fashionbert.search.words import WordIndex


@pytest.fixture(scope="session")
def shelf(engine: SearchEngine) -> Shelf:
    return engine.shelf


@pytest.fixture(scope="session")
def far_shelf(shop_index: Path) -> Shelf:
    """The same shop, too large to be held in memory."""
    return Shelf.of(ViewTable.open(shop_index), exact_up_to=0)


@pytest.fixture
def terms(shelf: Shelf) -> list[Term]:
    assert shelf.vectors is not None
    generator = np.random.default_rng(1)
    vectors = generator.normal(size=(3, shelf.vectors.shape[1])).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [Term(vectors[0]), Term(vectors[1]), Term(vectors[2], wanted=False)]


def everything(shelf: Shelf) -> NDArray[np.bool_]:
    return np.ones(len(shelf), np.bool_)


def groups(shelf: Shelf, found: Recalled) -> list[int]:
    return shelf.groups[found.rows].tolist()


def test_one_term_is_a_plain_order_of_groups(shelf: Shelf, terms: list[Term]) -> None:
    assert shelf.vectors is not None
    scores = shelf.vectors @ terms[0].vector
    expected = sorted(set(shelf.groups.tolist()), key=lambda group: -scores[shelf.groups == group].max())
    for limit in (1, 3, 5, 100):
        found = recall(shelf, terms[:1], everything(shelf), limit)
        assert groups(shelf, found) == expected[:limit]
        np.testing.assert_allclose(found.scores, scores[found.rows], atol=1e-6)
        assert found.matches == 5


def test_terms_compared_together_are_compared_alike(shelf: Shelf, far_shelf: Shelf, terms: list[Term]) -> None:
    together = shelf.similarities(np.stack([term.vector for term in terms]))
    compared = [replace(term, similarity=values) for term, values in zip(terms, together, strict=True)]
    one, other = (recall(shelf, each, everything(shelf), 5) for each in (terms, compared))
    assert one.rows.tolist() == other.rows.tolist()
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
    with pytest.raises(ValueError, match="does not hold its vectors"):
        far_shelf.similarities(together[:1])


def test_cards_are_the_same_from_memory_and_from_the_table(shelf: Shelf, far_shelf: Shelf) -> None:
    ids = shelf.row_ids[[4, 0, 2]].tolist()
    assert shelf.cards_of(np.array([4, 0, 2])) == far_shelf.cards_of(
        np.array([far_shelf.row_of_id[each] for each in ids])
    )
    assert shelf.cards_of(np.zeros(0, np.int64)) == []


def test_a_mask_is_kept_to(shelf: Shelf, terms: list[Term]) -> None:
    mask = shelf.mask("subcategory = Shirt")
    found = recall(shelf, terms, mask, 10)
    assert found.matches == 3
    assert mask[found.rows].all()
    assert len(found.rows) == 3
    nothing = recall(shelf, terms, np.zeros(len(shelf), np.bool_), 10)
    assert (len(nothing.rows), nothing.matches) == (0, 0)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_approximate_way_finds_the_same_where_it_looks_at_all(
    shelf: Shelf, far_shelf: Shelf, terms: list[Term], count: int
) -> None:
    assert far_shelf.vectors is None
    for mask in (everything(shelf), shelf.mask("price < 60")):
        near = recall(shelf, terms[:count], mask, 4)
        far = recall(far_shelf, terms[:count], mask, 4)
        assert far.matches == near.matches
        assert groups(far_shelf, far)[0] == groups(shelf, near)[0]
        if count == 1:  # with several, deviations are those over the rows that were proposed
            assert groups(far_shelf, far) == groups(shelf, near)
            np.testing.assert_allclose(far.scores, near.scores, atol=1e-6)


def test_what_a_narrow_filter_leaves_is_found_whatever_the_index_proposes(
    far_shelf: Shelf, terms: list[Term], monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = far_shelf.mask("price = 80")
    monkeypatch.setattr(far_shelf.table, "find_near", lambda *_: np.zeros(0, np.uint64))
    assert mask[recall(far_shelf, terms[:1], mask, 3).rows].tolist() == [True]


def test_what_a_filter_leaves_is_found_where_the_index_never_looks(
    shelf: Shelf, far_shelf: Shelf, terms: list[Term], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The approximate index gives the rows of some parts of the space alone, however many are asked for."""
    monkeypatch.setattr(recall_module, "_COMPARED_ANYWAY", 0)
    monkeypatch.setattr(recall_module, "_MOST_PROPOSED", 1000.0)
    monkeypatch.setattr(recall_module, "_READ_AT_ONCE", 2)
    mask, asked = far_shelf.mask("price < 60"), []
    seen = far_shelf.row_ids[np.flatnonzero(~mask)]
    monkeypatch.setattr(far_shelf.table, "find_near", lambda _, limit: asked.append(limit) or seen)
    far, near = recall(far_shelf, terms[:1], mask, 4), recall(shelf, terms[:1], mask, 4)
    assert len(asked) > 1
    assert groups(far_shelf, far) == groups(shelf, near)
    np.testing.assert_allclose(far.scores, near.scores, atol=1e-6)


def test_only_unwanted_terms_look_at_every_row(shelf: Shelf, far_shelf: Shelf, terms: list[Term]) -> None:
    mask = everything(shelf)
    assert groups(far_shelf, recall(far_shelf, terms[2:], mask, 5)) == groups(shelf, recall(shelf, terms[2:], mask, 5))


def test_without_terms_the_order_is_that_of_the_index(shelf: Shelf) -> None:
    found = recall(shelf, [], everything(shelf), 3)
    assert found.rows.tolist() == sorted(found.rows.tolist())
    assert len(set(groups(shelf, found))) == 3


def test_products_that_hold_the_words_join(shelf: Shelf, terms: list[Term]) -> None:
    mask = everything(shelf)
    last = recall(shelf, terms[:1], mask, 5).rows[-1]
    text = shelf.table.take(shelf.row_ids[[last]], ["text"])["text"][0].as_py()
    with_words = recall(shelf, terms[:1], mask, 5, words=text)
    assert with_words.rows.tolist().index(last) < 4
    assert with_words.word_ranks[with_words.rows == last].tolist() == [0]
    hidden = mask & (shelf.groups != shelf.groups[last])
    assert last not in recall(shelf, terms[:1], hidden, 5, words=text).rows


def test_the_approximate_way_knows_words_too(far_shelf: Shelf, terms: list[Term]) -> None:
    found = recall(far_shelf, terms[:1], everything(far_shelf), 2, words="O'Neill")
    texts = far_shelf.table.take(far_shelf.row_ids[found.rows], ["text"])["text"].to_pylist()
    assert sum("O'Neill" in text for text in texts) == 1
    assert np.isfinite(found.word_ranks).sum() == 1


def test_terms_are_added_in_deviations_from_their_means() -> None:
    one, two = np.array([1.0, 2.0, 3.0], np.float32), np.array([30.0, 10.0, 20.0], np.float32)
    np.testing.assert_array_equal(combine([(one, True)]), one)
    deviation = np.sqrt(2 / 3)
    z_one, z_two = np.array([-1, 0, 1]) / deviation, np.array([1, -1, 0]) / deviation
    np.testing.assert_allclose(combine([(one, True), (two, True)]), (z_one + z_two) / 2, atol=1e-6)
    np.testing.assert_allclose(combine([(one, True), (two, False)]), z_one - UNWANTED_SHARE * z_two, atol=1e-6)
    np.testing.assert_allclose(combine([(two, False)]), -UNWANTED_SHARE * z_two, atol=1e-6)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=9))
def test_standardised_is_finite_and_keeps_the_order(values: list[float]) -> None:
    given_R = np.asarray(values, np.float32)
    found = standardised(given_R)
    assert np.isfinite(found).all()
    assert (np.diff(found[np.argsort(given_R)]) >= 0).all()


def test_reciprocal_ranks_by_hand(shelf: Shelf) -> None:
    """Vectors say a, b, c, words say c, d: c has 1/62 + 1/60 and comes first, then a, then b and d (1/61)."""
    first = [int(np.flatnonzero(shelf.groups == group)[0]) for group in range(4)]
    a, b, c, d = first
    fused = fuse(shelf, np.array([a, b, c]), np.array([c, d]))
    assert fused.tolist() == [c, a, b, d]


def test_a_group_keeps_the_picture_that_its_vector_found(shelf: Shelf) -> None:
    group = int(np.flatnonzero(np.bincount(shelf.groups) > 1)[0])
    one, other = np.flatnonzero(shelf.groups == group)[:2]
    assert fuse(shelf, np.array([one]), np.array([other])).tolist() == [one]


def test_many_pictures_of_one_group_do_not_crowd_the_others_out(shelf: Shelf, terms: list[Term]) -> None:
    crowd = _Crowded(shelf, terms[0])
    found = recall(crowd, [terms[0]], np.ones(crowd.size, np.bool_), 3)  # pyright: ignore[reportArgumentType]
    assert crowd.groups[found.rows].tolist()[0] == 0
    assert len(set(crowd.groups[found.rows].tolist())) == 3


class _Crowded:
    """A shelf of which a thousand best rows are of one group."""

    is_exact = True

    def __init__(self, shelf: Shelf, term: Term) -> None:
        assert shelf.vectors is not None
        others = len(shelf)
        self.size = 1000 + others
        self.words = WordIndex(pa.array([[]] * self.size, pa.list_(pa.uint32())))
        self.groups = np.concatenate([np.zeros(1000, np.int32), 1 + np.arange(others, dtype=np.int32)])
        self.vectors = np.concatenate([np.tile(term.vector, (1000, 1)), shelf.vectors])

    def __len__(self) -> int:
        return self.size

    def cards(self, mask_R: NDArray[np.bool_]) -> int:
        return len(set(self.groups[mask_R].tolist()))

    def similarities(self, vectors_KE: NDArray[np.float32]) -> NDArray[np.float32]:
        return vectors_KE @ self.vectors.T
