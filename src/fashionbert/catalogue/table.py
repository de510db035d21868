"""A catalogue in memory: its words as Arrow columns, its pictures as references that are read on demand.

A million products cost some hundred bytes each: no Python object stands for a row until it is asked for, and no
picture is read before :meth:`~fashionbert.types.Picture.read`.
"""

import hashlib
import operator
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, SupportsIndex

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fashionbert.catalogue.arrow import pc
from fashionbert.errors import CatalogueError
from fashionbert.types import GroupId, Picture, Product

TRAIN, VALIDATION, TEST = "train", "validation", "test"
FIELDS = ("product_id", "group_id", "text", "category", "subcategory", "split")
"""Columns that every catalogue has; all others are attributes."""

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class RowFault:
    """A reason why a row, or one picture of a row, was set aside; a row may have several.

    Attributes:
        where: place of the row (``train.csv row 17``, counted from 1, the header left out).
        product_id: its product id, empty if it has none.
        reason: short stable name to count by (``empty-text``, ``duplicate-id``, ``missing-picture``, ...).
        message: what was found and what to do.
    """

    where: str
    product_id: str
    reason: str
    message: str


class PictureSource(Protocol):
    """Where the pictures of a catalogue lie. A reference is a row number or a relative path."""

    def open(self, reference: Any) -> Picture:
        """Return the picture of this reference, not yet read."""
        ...

    def identity(self, reference: Any) -> str:
        """Return words that change when the picture changes, as far as that shows without reading its pixels."""
        ...


class Catalogue:
    """Products in a fixed order, read lazily; ``catalogue[i]`` is a :class:`~fashionbert.types.Product`.

    Args:
        table: one row a product: the columns :data:`FIELDS` and any number of attributes, all strings without nulls
            (dictionary-encoded ones allowed).
        pictures: list column beside ``table``: the references of each product's pictures, at least one.
        source: turns a reference into a picture.
        name: what reports call the catalogue.
        faults: why the reader set rows aside.
    """

    def __init__(
        self,
        table: pa.Table,
        pictures: pa.ChunkedArray,
        source: PictureSource,
        *,
        name: str,
        faults: Sequence[RowFault] = (),
    ) -> None:
        if table.num_rows != len(pictures):
            raise ValueError(f"{table.num_rows} rows but {len(pictures)} lists of pictures")
        self.table = table
        self.name = name
        self.faults = tuple(faults)
        self._pictures = pictures
        self._source = source

    def __len__(self) -> int:
        return self.table.num_rows

    def __repr__(self) -> str:
        splits = ", ".join(f"{name or 'no split'}: {count}" for name, count in self.splits.items())
        return f"Catalogue({self.name!r}, {len(self)} products, {splits})"

    def __getitem__(self, index: SupportsIndex) -> Product:
        row = operator.index(index)
        if not -len(self) <= row < len(self):
            raise IndexError(f"product {row} of a catalogue of {len(self)}")
        return next(self._products(row % len(self), 1))

    def __iter__(self) -> Iterator[Product]:
        for start in range(0, len(self), _ROWS_AT_ONCE):
            yield from self._products(start, _ROWS_AT_ONCE)

    def _products(self, start: int, count: int) -> Iterator[Product]:
        rows = self.table.slice(start, count).to_pylist()
        for row, references in zip(rows, self._pictures.slice(start, count).to_pylist(), strict=True):
            fields = {name: row.pop(name) for name in FIELDS}
            yield Product(**fields, pictures=tuple(map(self._source.open, references)), attributes=row)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the columns beyond :data:`FIELDS`."""
        return tuple(name for name in self.table.column_names if name not in FIELDS)

    def column(self, name: str) -> list[str]:
        """Return one column, a value for each product; much cheaper than going through the products.

        Args:
            name: one of :data:`FIELDS` or of :attr:`attributes`.

        Returns:
            The values, in the order of the products.

        Raises:
            CatalogueError: there is no such column.
        """
        return self._arrow(name).to_pylist()

    def codes(self, name: str) -> NDArray[np.int64]:
        """Number the values of a column, equal ones alike, in alphabetical order; arguments as in :meth:`column`."""
        column = self._arrow(name).combine_chunks().dictionary_encode()
        places = np.empty(len(column.dictionary), np.int64)
        places[pc.array_sort_indices(column.dictionary)] = np.arange(len(places))
        return places[column.indices.to_numpy()]

    def _arrow(self, name: str) -> pa.ChunkedArray:
        if name not in self.table.column_names:
            known = ", ".join(self.table.column_names)
            raise CatalogueError(f"catalogue {self.name!r} has no column {name!r}", [f"its columns: {known}"])
        return self.table.column(name).cast(pa.large_string())

    def subset(self, indices: Sequence[int] | NDArray[np.int64] | NDArray[np.bool_]) -> "Catalogue":
        """Return the products at these places, in this order; a mask of the catalogue's length works too.

        The faults stay with the whole catalogue.
        """
        places = np.asarray(indices)
        if places.dtype == np.bool_:
            places = np.flatnonzero(places)
        rows = pa.array(places.astype(np.int64))
        return Catalogue(self.table.take(rows), self._pictures.take(rows), self._source, name=self.name)

    @property
    def reasons(self) -> dict[str, int]:
        """Number of the faults of each reason, the most frequent first."""
        return dict(Counter(fault.reason for fault in self.faults).most_common())

    @property
    def faulty_rows(self) -> int:
        """Number of rows that were set aside or lost a picture, each counted once, whatever stands against it."""
        return len({fault.where for fault in self.faults})

    @cached_property
    def splits(self) -> dict[str, int]:
        """Number of products of each split: train, validation, test, then others by name."""
        counts = {c["values"]: c["counts"] for c in pc.value_counts(self._arrow("split")).to_pylist()}
        known = [name for name in (TRAIN, VALIDATION, TEST) if name in counts]
        return {name: counts[name] for name in [*known, *sorted(set(counts) - set(known))]}

    def split(self, name: str) -> "Catalogue":
        """Return the products of one split, in their order.

        Args:
            name: one of :attr:`splits`.

        Returns:
            A catalogue of its products.

        Raises:
            CatalogueError: there is no such split.
        """
        if name not in self.splits:
            there = ", ".join(f"{split} ({count})" for split, count in self.splits.items())
            raise CatalogueError(f"catalogue {self.name!r} has no split {name!r}", [f"its splits: {there}"])
        return self.subset(pc.equal(self._arrow("split"), name).to_numpy())

    @cached_property
    def products_by_group(self) -> dict[GroupId, NDArray[np.int64]]:
        """Places of the products of each group, ascending; groups in order of their first product."""
        groups = self._arrow("group_id").combine_chunks().dictionary_encode()
        codes = groups.indices.to_numpy()
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(groups.dictionary)))[:-1]
        return dict(zip(groups.dictionary.to_pylist(), np.split(order, ends), strict=True))

    @cached_property
    def data_hash(self) -> str:
        """16 hexadecimal digits that change with ids, groups, texts, splits and pictures, not with the folder.

        Pictures count by what their place tells (name and size), not by their pixels, which would mean to read them
        all; a picture painted over by another of the same size goes unnoticed.
        """
        digest = hashlib.sha256()
        names = ("product_id", "group_id", "text", "split")
        for start in range(0, len(self), _ROWS_AT_ONCE):
            columns = [self.table.column(name).slice(start, _ROWS_AT_ONCE).to_pylist() for name in names]
            pictures = self._pictures.slice(start, _ROWS_AT_ONCE).to_pylist()
            for *values, references in zip(*columns, pictures, strict=True):
                for word in (*values, *map(self._source.identity, references)):
                    data = word.encode()
                    digest.update(len(data).to_bytes(4, "little") + data)
                digest.update(b"\xff\xff\xff\xff")
        return digest.hexdigest()[:16]
