import numpy as np
import pytest

from fashionbert.errors import ProtocolError
from fashionbert.evaluation.gallery import Gallery, gallery_of


class Table:
    def __init__(self, **columns: list[str]) -> None:
        self.columns = columns

    def column(self, name: str) -> list[str]:
        return self.columns[name]


def table(**changes: list[str]) -> Table:
    columns = {
        "product_id": ["a", "b", "c", "d"],
        "group_id": ["g", "g", "", ""],
        "category": ["shoes", "shoes", "", "hats"],
        "subcategory": ["boots", "clogs", "", "boots"],
    }
    return Table(**(columns | changes))


def test_columns_become_codes() -> None:
    gallery = gallery_of(table())
    assert len(gallery) == 4
    assert gallery.groups[0] == gallery.groups[1]
    assert len(set(gallery.groups.tolist())) == 3  # without a group: alone, not together
    assert gallery.subcategories[0] == gallery.subcategories[3] != gallery.subcategories[1]
    assert gallery.categories[2] == gallery.subcategories[2] == -1
    assert gallery.index["c"] == 2


@pytest.mark.parametrize("name", ["product_id", "group_id", "category", "subcategory"])
def test_the_fingerprint_is_of_ids_and_of_who_belongs_together(name: str) -> None:
    fingerprint = gallery_of(table()).fingerprint
    column = table().columns[name]
    together = [*column[:3], "e" if name == "product_id" else "clogs" if name == "subcategory" else column[0]]
    assert gallery_of(table(**{name: together})).fingerprint != fingerprint


def test_the_fingerprint_does_not_know_what_groups_are_called() -> None:
    renamed = table(group_id=["h", "h", "x", "y"], category=["coats", "coats", "", "bags"])
    assert gallery_of(renamed).fingerprint == gallery_of(table()).fingerprint


def test_one_group_cannot_be_measured() -> None:
    with pytest.raises(ProtocolError, match=r"4 products in fewer than two groups .* more groups"):
        gallery_of(table(group_id=["g"] * 4))
    with pytest.raises(ProtocolError, match="0 products"):
        gallery_of(Table(product_id=[], group_id=[], category=[], subcategory=[]))


def test_ids_must_be_unique() -> None:
    with pytest.raises(ProtocolError, match="1 product ids stand for several products, b among them"):
        gallery_of(table(product_id=["a", "b", "b", "b"]))


def test_arrays_must_have_one_length() -> None:
    with pytest.raises(ValueError, match=r"one length, not \[1, 2\]"):
        Gallery(product_ids=("a", "b"), groups=np.arange(2), categories=np.arange(1), subcategories=np.arange(2))
