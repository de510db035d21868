"""Rows of a click log as the model sees them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fashionbert.catalogue import Catalogue, open_catalogue
from fashionbert.catalogue.clicks import ClickLog
from fashionbert.config import ClickSettings
from fashionbert.data.clicks import ClickRows, build_click_rows, collate_clicks
from fashionbert.errors import CatalogueError
from fashionbert.text import learn_tokenizer

WORDS = ["red dress with long sleeves", "blue shirt", "a striped jumper"]


@pytest.fixture(scope="module")
def shop(world: Path) -> Catalogue:
    return open_catalogue(world)


@pytest.fixture
def make_rows(shop: Catalogue, make_features: Callable[..., object]) -> Callable[..., ClickRows]:
    """Rows of the first products of the shop; each product has one picture."""
    ids = shop.column("product_id")

    def make(queries: list[str], shown: list[int], *, pictures: bool = True, **settings: object) -> ClickRows:
        log = ClickLog(
            queries, [ids[place] for place in shown], np.arange(len(queries)) % 2 == 0, np.arange(len(queries))
        )
        tokenizer = learn_tokenizer([*WORDS, *shop.column("title")], 400)
        features = make_features(ids) if pictures else None
        return build_click_rows(log, shop, features, tokenizer, ClickSettings(**settings))  # pyright: ignore[reportArgumentType]

    return make


def test_query_and_title_are_two_segments_with_positions_of_their_own(
    make_rows: Callable[..., ClickRows], shop: Catalogue
) -> None:
    rows = make_rows(["red dress", "blue shirt with long sleeves"], [0, 1])
    batch = collate_clicks(rows, np.array([1, 0]), pad_id=0)
    assert batch.labels.tolist() == [0, 1]
    tokenizer = learn_tokenizer([*WORDS, *shop.column("title")], 400)
    for row, (query, product) in enumerate([("blue shirt with long sleeves", 1), ("red dress", 0)]):
        asked, title = tokenizer(query)["input_ids"], tokenizer(shop.column("title")[product])["input_ids"]
        width = len(asked) + len(title) - 1
        assert batch.input_ids[row, :width].tolist() == [*asked, *title[1:]]
        assert batch.token_type_ids[row, :width].tolist() == [0] * len(asked) + [1] * (len(title) - 1)
        assert batch.position_ids[row, :width].tolist() == [*range(len(asked)), *range(1, len(title))]
        assert batch.attention_mask[row].sum() == width
        assert rows.lengths[1 - row] == width
    assert batch.input_ids.shape[1] == max(rows.lengths)


def test_full_width_only_pads(make_rows: Callable[..., ClickRows]) -> None:
    rows = make_rows(["red dress", "blue"], [0, 1])
    narrow, wide = (collate_clicks(rows, np.arange(2), pad_id=0, width=width) for width in (None, 64))
    assert wide.input_ids.shape == (2, 64)
    width = narrow.input_ids.shape[1]
    assert (wide.input_ids[:, :width] == narrow.input_ids).all()
    assert not wide.attention_mask[:, width:].any()


def test_long_queries_and_titles_are_cut(make_rows: Callable[..., ClickRows]) -> None:
    rows = make_rows(["red dress " * 30], [0], max_query_tokens=5, max_title_tokens=4)
    batch = collate_clicks(rows, np.array([0]), pad_id=0)
    assert batch.input_ids.shape == (1, 9)
    assert batch.token_type_ids[0].tolist() == [0] * 5 + [1] * 4
    assert (batch.input_ids[0, 4] == batch.input_ids[0, -1]).item()  # both end with [SEP]


def test_features_are_those_of_the_product(make_rows: Callable[..., ClickRows]) -> None:
    rows = make_rows(["red"] * 4, [5, 2, 5, 9])
    batch = collate_clicks(rows, np.array([3, 0, 1]), pad_id=0)
    assert batch.features is not None
    numbers: NDArray[np.float16] = batch.features[:, 0, 0].numpy()
    assert numbers.tolist() == [9, 5, 2]
    assert collate_clicks(make_rows(["red"], [0], pictures=False), np.array([0]), pad_id=0).features is None


def test_products_that_are_not_there_are_left_out(shop: Catalogue) -> None:
    known = shop.column("product_id")[3]
    log = ClickLog(["red", "blue"], ["nobody", known], np.array([True, False]), np.array([0, 1]))
    tokenizer = learn_tokenizer(WORDS, 100)
    rows = build_click_rows(log, shop, None, tokenizer, ClickSettings())
    assert (len(rows), rows.left_out) == (1, 1)
    assert rows.clicked.tolist() == [False]
    with pytest.raises(CatalogueError, match="no row of the click log shows a product") as raised:
        build_click_rows(log.rows(np.array([0])), shop, None, tokenizer, ClickSettings())
    assert "nobody" in raised.value.faults[0]


def test_a_product_without_a_title_is_read_by_its_text(make_rows: Callable[..., ClickRows], shop: Catalogue) -> None:
    rows = make_rows(["red"], [0], title="nothing of the kind", max_title_tokens=200)
    tokenizer = learn_tokenizer([*WORDS, *shop.column("title")], 400)
    assert rows.titles[0][0].tolist() == tokenizer(shop.column("text")[0])["input_ids"]
