from dataclasses import dataclass, replace

import numpy as np
import pytest

from fashionbert.catalogue import Catalogue, hold_products
from fashionbert.errors import CatalogueError
from fashionbert.types import Product


@dataclass(frozen=True)
class Shot:
    name: str

    def read(self) -> bytes:
        return self.name.encode()


def product(number: int, group: str, split: str = "train", **attributes: str) -> Product:
    return Product(
        product_id=f"p{number}",
        group_id=group,
        text=f"text {number}",
        pictures=(Shot(f"{number}.jpg"), Shot(f"{number}-back.jpg")),
        category="Shoes",
        subcategory="Boots",
        split=split,
        attributes=attributes,
    )


PRODUCTS = [
    product(0, "g1", colour="red"),
    product(1, "g0", "test", colour="blue"),
    product(2, "g1", "validation", colour="red"),
    product(3, "g2", colour="red"),
]


@pytest.fixture
def catalogue() -> Catalogue:
    return hold_products(PRODUCTS)


def test_products_come_back_as_they_are(catalogue: Catalogue) -> None:
    assert list(catalogue) == PRODUCTS
    assert [catalogue[index] for index in range(4)] == PRODUCTS
    assert catalogue[-1] == PRODUCTS[3]
    assert catalogue[np.int64(2)] == PRODUCTS[2]
    with pytest.raises(IndexError, match="product 4 of a catalogue of 4"):
        catalogue[4]


def test_columns_are_plain_texts(catalogue: Catalogue) -> None:
    assert catalogue.column("colour") == ["red", "blue", "red", "red"]
    assert catalogue.column("product_id") == ["p0", "p1", "p2", "p3"]
    assert catalogue.attributes == ("colour",)
    with pytest.raises(CatalogueError, match="no column 'color'"):
        catalogue.column("color")


def test_subsets_keep_the_order_asked_for(catalogue: Catalogue) -> None:
    assert list(catalogue.subset([3, 0])) == [PRODUCTS[3], PRODUCTS[0]]
    assert list(catalogue.subset(np.array([True, False, False, True]))) == [PRODUCTS[0], PRODUCTS[3]]
    assert list(catalogue.subset([])) == []
    assert list(catalogue.subset([2, 1]).subset([1])) == [PRODUCTS[1]]


def test_splits_in_their_usual_order(catalogue: Catalogue) -> None:
    assert list(catalogue.splits.items()) == [("train", 2), ("validation", 1), ("test", 1)]
    assert list(catalogue.split("train")) == [PRODUCTS[0], PRODUCTS[3]]
    with pytest.raises(CatalogueError, match=r"its splits: train \(2\), validation \(1\), test \(1\)"):
        catalogue.split("dev")


def test_products_by_group(catalogue: Catalogue) -> None:
    groups = {group: places.tolist() for group, places in catalogue.products_by_group.items()}
    assert groups == {"g1": [0, 2], "g0": [1], "g2": [3]}
    assert list(groups) == ["g1", "g0", "g2"]


def test_the_hash_follows_what_training_sees(catalogue: Catalogue) -> None:
    first = PRODUCTS[0]
    changed = [
        replace(first, product_id="other"),
        replace(first, group_id="other"),
        replace(first, text="other"),
        replace(first, split="test"),
        replace(first, pictures=first.pictures[:1]),
        replace(first, pictures=(*first.pictures[:1], Shot("other.jpg"))),
        replace(first, product_id="p0g", group_id="1"),
    ]
    hashes = {hold_products([one, *PRODUCTS[1:]]).data_hash for one in [first, *changed]}
    assert len(hashes) == 8
    assert catalogue.data_hash in hashes
    assert hold_products([replace(first, attributes={}), *PRODUCTS[1:]], "other name").data_hash == catalogue.data_hash
    assert len(catalogue.data_hash) == 16


def test_a_repeated_column_is_stored_as_codes() -> None:
    many = hold_products(product(number, "g", colour="a colour of many letters") for number in range(1000))
    assert many.table.column("colour").nbytes < 1000 * 8


def test_codes_are_in_alphabetical_order() -> None:
    catalogue = hold_products(
        [product(0, "tea"), product(1, "ant"), product(2, "tea"), product(3, "a\0"), product(4, "a")]
    )
    assert catalogue.codes("group_id").tolist() == [3, 2, 3, 1, 0]
