"""What a search holds in memory of an index: who the rows are, their attributes and, up to a size, their vectors.

Letters: R rows (pictures), E vector size, G groups.
"""

import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray

from fashionbert.errors import QueryError
from fashionbert.search.attributes import Column
from fashionbert.search.filters import parse_filter, ticked_masks
from fashionbert.search.held import CARD_COLUMNS, HeldRows, read_rows, renewed_rows
from fashionbert.search.query import LONGEST_TICK
from fashionbert.search.table import ViewTable
from fashionbert.search.words import WordIndex
from fashionbert.types import ProductId

_FACET_VALUES = 50
"""Values of an attribute up to which they can be ticked on a page; a description has thousands."""


@dataclass(frozen=True, slots=True)
class Facet:
    """An attribute to choose by, with the cards that each of its values has.

    Attributes:
        name: of the attribute.
        values: values and their cards, the most frequent first.
        low: smallest number, where all values are numbers and there are too many to list.
        high: largest number.
    """

    name: str
    values: tuple[tuple[str, int], ...] = ()
    low: float | None = None
    high: float | None = None


class Shelf:
    """One version of an index; nothing in it changes."""

    def __init__(self, table: ViewTable, held: HeldRows) -> None:
        """Take the rows of a table that is held at their version."""
        self.table = table
        self.version = table.version
        self.is_exact = held.vectors is not None
        self.row_ids = held.row_ids
        self.product_ids, self.products = _coded(held.rows["product_id"])
        self.group_ids, self.groups = _coded(_groups(held.rows))
        self.views: NDArray[np.int16] = held.rows["view"].to_numpy()
        self.vectors = held.vectors
        """Unit vectors [R, E]; None where the index is too large to hold them."""
        self.columns = held.columns
        self.words = WordIndex(held.words)
        self._held = held

    @classmethod
    def of(cls, table: ViewTable, *, exact_up_to: int, former: Self | None = None) -> Self:
        """Read the newest version of a table and hold it.

        Args:
            table: of the index.
            exact_up_to: rows up to which all are compared, in memory.
            former: of an earlier version; what was not written since is not read again.

        Returns:
            The newest version.

        Raises:
            SearchIndexError: a file of the table is lost or damaged.
        """
        newest = table.newest().pinned()
        is_exact = len(newest) <= exact_up_to
        held = None if former is None or not is_exact else renewed_rows(former._held, newest)
        return cls(newest, held or read_rows(newest, whole=is_exact))

    def __len__(self) -> int:
        return len(self.row_ids)

    @cached_property
    def place_of(self) -> dict[ProductId, int]:
        """First row of each product."""
        return {self.product_ids[product]: row for row, product in reversed(list(enumerate(self.products.tolist())))}

    @cached_property
    def row_of_id(self) -> dict[int, int]:
        """Row of each row id."""
        return {row_id: row for row, row_id in enumerate(self.row_ids.tolist())}

    def rows_of(self, product_id: ProductId) -> NDArray[np.int64]:
        """Rows of a product.

        Args:
            product_id: of the product.

        Returns:
            Row numbers, one for each picture.

        Raises:
            QueryError: the index has no such product.
        """
        if product_id not in self.place_of:
            raise QueryError("the query cannot be answered", [f"there is no product {product_id!r} in the index"])
        return np.flatnonzero(self.products == self.products[self.place_of[product_id]])

    def row_of_view(self, product_id: ProductId, view: int | None = None) -> int:
        """Row of a picture, or of the first that there is; :class:`QueryError` where there is no such one."""
        rows = self.rows_of(product_id)
        views = self.views[rows]
        wanted = rows[views == (views.min() if view is None else view)]
        if not len(wanted):
            raise QueryError(f"product {product_id!r} has no picture {view}")
        return int(wanted[0])

    def thumbnail(self, product_id: ProductId, view: int | None = None) -> bytes:
        """The small picture of a product, encoded; :class:`QueryError` where there is no such product or picture."""
        row = self.row_of_view(product_id, view)
        return self.table.take(self.row_ids[[row]], ["thumbnail"])["thumbnail"][0].as_py()

    def cards_of_product(self, product_id: ProductId) -> list[dict[str, Any]]:
        """What is shown of a product, for each of its pictures in order; :class:`QueryError` where there is none."""
        return sorted(self.cards_of(self.rows_of(product_id)), key=operator.itemgetter("view"))

    def mask(self, condition: str, ticked: Mapping[str, Sequence[str]] | None = None) -> NDArray[np.bool_]:
        """Rows that satisfy a filter and have what was ticked [R]; all, where there is neither.

        Args:
            condition: in the language of :mod:`fashionbert.search.filters`.
            ticked: values by attribute, one of which a row must have.

        Returns:
            True at rows that satisfy both.

        Raises:
            QueryError: the filter cannot be read or applied, or there is no such attribute.
        """
        mask_R = np.ones(len(self), np.bool_)
        if condition.strip():
            mask_R &= parse_filter(condition, self.columns).mask(self.columns)
        return np.logical_and.reduce([mask_R, *ticked_masks(ticked or {}, self.columns).values()])

    def cards(self, mask_R: NDArray[np.bool_]) -> int:
        """Count the groups that have a row in a mask."""
        if mask_R.all():
            return len(self.group_ids)
        return int(np.count_nonzero(np.bincount(self.groups[mask_R], minlength=1)))

    def similarities(self, vectors_KE: NDArray[np.float32]) -> NDArray[np.float32]:
        """Inner products of vectors with those of all rows [K, R], for many in one pass over the memory.

        Args:
            vectors_KE: unit vectors.

        Returns:
            Similarities.

        Raises:
            ValueError: the shelf is too large to hold its vectors.
        """
        if self.vectors is None:
            raise ValueError("this shelf does not hold its vectors: ask the table's approximate index")
        # By torch, whose threads have just read the query: numpy's would have to fight them for the cores.
        return (torch.from_numpy(vectors_KE) @ torch.from_numpy(self.vectors).T).numpy()

    def cards_of(self, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
        """What is shown of rows, in their order: :data:`CARD_COLUMNS` by name, ``attributes`` as a mapping."""
        if self.is_exact:
            cards = self._held.rows.take(rows).to_pylist()
        else:
            cards = self.table.take(self.row_ids[rows], CARD_COLUMNS).to_pylist()
        return [{**card, "attributes": json.loads(card["attributes"])} for card in cards]

    def facets(self, mask_R: NDArray[np.bool_], ticked: Mapping[str, Sequence[str]]) -> list[Facet]:
        """Count the cards of a mask by the values of each attribute that one can choose by.

        Args:
            mask_R: rows that are left.
            ticked: values that were chosen, by attribute; an attribute is counted under those of the others.

        Returns:
            Facets, in the order of the catalogue's columns.

        Raises:
            QueryError: there is no such attribute.
        """
        masks = ticked_masks(ticked, self.columns)
        facets = []
        for column in self.columns.values():
            left_R = np.logical_and.reduce([mask_R, *(mask for name, mask in masks.items() if name != column.name)])
            if _can_be_ticked(column):
                counts = self._cards_by_value(column, left_R)
                order = sorted(range(len(counts)), key=lambda value: (-counts[value], column.values[value]))
                values = tuple((column.values[value], int(counts[value])) for value in order if counts[value])
                facets.append(Facet(column.name, values))
            elif column.is_numeric:
                facets.append(Facet(column.name, (), float(column.numbers.min()), float(column.numbers.max())))
        return facets

    def _cards_by_value(self, column: Column, mask_R: NDArray[np.bool_]) -> NDArray[np.int64]:
        """A group counts once under each value that one of its rows has; equal ones count as the first of them."""
        here = mask_R & (column.codes >= 0)
        pairs = np.unique(self.groups[here].astype(np.int64) * len(column.values) + column.alike[column.codes[here]])
        return np.bincount(pairs % len(column.values), minlength=len(column.values))


def _can_be_ticked(column: Column) -> bool:
    return 1 < len(column.values) <= _FACET_VALUES and max(map(len, column.values)) <= LONGEST_TICK


def _coded(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int32]]:
    coded = column.combine_chunks().dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy()


def _groups(rows: pa.Table) -> pa.ChunkedArray:
    """Group of each row; a product without a group is a group of its own."""
    alone = pc.binary_join_element_wise("\0", rows["product_id"], "")  # pyright: ignore[reportAttributeAccessIssue]
    return pc.if_else(pc.equal(rows["group_id"], ""), alone, rows["group_id"])  # pyright: ignore[reportAttributeAccessIssue]
