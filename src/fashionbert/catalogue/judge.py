"""Which rows are set aside, and why: every reason against a row, each with a place and a remedy."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fashionbert.catalogue.arrow import pc
from fashionbert.catalogue.pictures import FilePictures, describe, keep_in_lists, path_lists, place_paths
from fashionbert.catalogue.table import RowFault

_MESSAGES = {
    "empty-id": "it has no product id: give it one",
    "empty-text": "its text is empty: give it one, or build it from other columns with a text template",
    "no-picture": "it names no picture: name one",
    "empty-split": "its split is empty while other rows have one: name its split",
    "duplicate-id": "an earlier row has the same product id: make them differ, or list all pictures in one row",
    "other-text": "an earlier row of the same product has another text: give the product one text",
}


class Judge:
    """Collects the reasons against the rows of a table, all of them, each once a row.

    Args:
        ids: product id of each row.
        where: says the place of a row in words.
    """

    def __init__(self, ids: pa.ChunkedArray, where: Callable[[int], str]) -> None:
        self._ids = ids
        self._where = where
        self._against: dict[int, dict[str, str]] = {}
        self._dropped_pictures: list[RowFault] = []

    @property
    def good(self) -> pa.BooleanArray:
        """For each row whether nothing stands against it."""
        good = np.ones(len(self._ids), np.bool_)
        good[list(self._against)] = False
        return pa.array(good)

    def faults(self) -> list[RowFault]:
        """Return the faults of each row set aside, and one for each single picture dropped from a row that stays."""
        bad = sorted(self._against)
        rows = [
            RowFault(self._where(row), name, reason, message)
            for row, name in zip(bad, self._ids.take(pa.array(bad, pa.int64())).to_pylist(), strict=True)
            for reason, message in self._against[row].items()
        ]
        return [*rows, *self._dropped_pictures]

    def against(self, mask: pa.ChunkedArray | pa.Array | NDArray[np.bool_], reason: str) -> None:
        """Set aside the rows of a mask for one of the known reasons."""
        flags = mask if isinstance(mask, np.ndarray) else mask.to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(flags).tolist():
            self._set_aside(row, reason, _MESSAGES[reason])

    def against_duplicates(self) -> None:
        """Set aside every row whose product id an earlier good row has."""
        codes = self._ids.combine_chunks().dictionary_encode().indices.to_numpy()
        good = np.flatnonzero(self.good.to_numpy(zero_copy_only=False))
        first = np.full(len(codes), len(codes))
        known, places = np.unique(codes[good], return_index=True)
        first[known] = good[places]
        self.against(np.arange(len(codes)) > first[codes], "duplicate-id")

    def place_pictures(self, cells: pa.ChunkedArray, source: FilePictures) -> pa.ListArray:
        """Find the files that a column of paths names, relative to the image folder.

        A row that is left without a picture is set aside; from another only the missing pictures are dropped.
        """
        lists = path_lists(cells)
        paths, wrong = place_paths(lists.flatten(), source.root)
        placed = pa.ListArray.from_arrays(lists.offsets, paths)
        placed = keep_in_lists(placed, pa.array(wrong == "", pa.bool_()))
        left = pc.list_value_length(placed).to_numpy()
        bad = np.flatnonzero(wrong != "")
        parents = pc.list_parent_indices(lists).take(pa.array(bad)).to_pylist()
        for place, row, path in zip(bad.tolist(), parents, paths.take(pa.array(bad)).to_pylist(), strict=True):
            message = describe(wrong[place], path, source.root)
            if left[row]:
                (name,) = self._ids.slice(row, 1).to_pylist()
                self._dropped_pictures.append(RowFault(self._where(row), name, wrong[place], message))
            else:
                self._set_aside(row, wrong[place], message)
        self.against(pc.equal(pc.list_value_length(lists), 0), "no-picture")
        return placed

    def _set_aside(self, row: int, reason: str, message: str) -> None:
        self._against.setdefault(row, {}).setdefault(reason, message)


def known_fault(reason: str, where: str, product_id: str) -> RowFault:
    """Make a fault of one of the known reasons."""
    return RowFault(where, product_id, reason, _MESSAGES[reason])


def summarise(faults: Sequence[RowFault]) -> list[str]:
    """Count faults by reason, with one example each, most frequent first."""
    first = {fault.reason: fault for fault in reversed(faults)}
    return [
        f"{count} x {reason}, for example {first[reason].where}: {first[reason].message}"
        for reason, count in Counter(fault.reason for fault in faults).most_common()
    ]
