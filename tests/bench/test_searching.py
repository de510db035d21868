"""Contenders of search: the engine finds what the bare product finds, and asks what products say of themselves."""

from pathlib import Path

import numpy as np
import pytest

from fashionbert.bench import search_contenders
from fashionbert.bench.contender import MissingRivalError
from fashionbert.bench.searching import BARE, answers, encoder, encoder_and_product, product, query_texts
from fashionbert.errors import SearchIndexError, SettingsError
from fashionbert.search import SearchEngine
from fashionbert.search.shelf import Shelf
from fashionbert.search.table import ViewTable

from ..conftest import SHOP


def opening(index: Path, queries: int = 3) -> dict[str, object]:
    return {"index": str(index), "model": None, "queries": queries, "seed": 0}


def test_the_engine_finds_what_the_bare_product_finds(shop_index: Path) -> None:
    whole, bare, ready = (
        make(**opening(shop_index))
        for make in (lambda **words: answers(0, False, **words), encoder_and_product, product)
    )
    found = [bare() for _ in range(4)]
    np.testing.assert_allclose([whole() for _ in range(4)], found, atol=1e-6)
    np.testing.assert_allclose([ready() for _ in range(4)], found, atol=1e-6)
    np.testing.assert_array_equal(found[0], found[3])  # three queries, then the first again
    assert len(np.unique(found)) > 1


def test_the_pair_model_gives_a_probability_of_as_many_cards_as_were_asked(shop_index: Path) -> None:
    [probability] = answers(5, True, **opening(shop_index))()  # pyright: ignore[reportArgumentType]
    assert 0 < probability < 1
    with pytest.raises(MissingRivalError, match="the index has 5 cards, fewer than 6"):
        answers(6, True, **opening(shop_index))()  # pyright: ignore[reportArgumentType]


def test_the_bare_encoder_gives_a_unit_vector(shop_index: Path) -> None:
    vector = encoder(**opening(shop_index))()  # pyright: ignore[reportArgumentType]
    assert vector.shape == (8,)
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_queries_are_words_in_a_row_of_products_and_hang_on_the_seed(shop_index: Path) -> None:
    shelf = SearchEngine.open(shop_index).shelf
    texts = query_texts(shelf, 20, 0)
    assert len(texts) == 20
    assert all(any(text in f"{row[2]}" for row in SHOP) for text in texts)
    assert all(len(text.split()) <= 6 for text in texts)
    assert texts == query_texts(shelf, 20, 0) != query_texts(shelf, 20, 1)


def test_an_empty_index_has_nothing_to_ask(tmp_path: Path) -> None:
    shelf = Shelf.of(ViewTable.create(tmp_path, 8), exact_up_to=10)
    with pytest.raises(SettingsError, match="nothing to ask"):
        query_texts(shelf, 5, 0)


def test_who_takes_part(shop_index: Path, tmp_path: Path) -> None:
    contenders = search_contenders(shop_index, cards=(2, 4), queries=7)
    assert [each.name for each in contenders] == [
        "bare encoder",
        "bare product",
        BARE,
        "vectors alone",
        "vectors and words",
        "re-rank 2",
        "re-rank 4",
    ]
    assert {(each.laps, each.units, each.against) for each in contenders} == {(7, 1, BARE)}
    assert [each.name for each in contenders if each.same_as] == ["bare product", "vectors alone"]
    with pytest.raises(SearchIndexError, match="is no search index"):
        search_contenders(tmp_path)
