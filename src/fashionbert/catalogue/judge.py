"""Which rows are set aside, and why: one reason a row, each with a place and a remedy."""

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
    """Collects the reasons against the rows of a table; the first reason against a row stands.

    Args:
        ids: product id of each row.
        where: says the place of a row in words.
    """

    def __init__(self, ids: pa.ChunkedArray, where: Callable[[int], str]) -> None:
        self._ids = ids
        self._where = where
        self._reasons = np.full(len(ids), "", dtype=object)
        self._messages: dict[int, str] = {}
        self._dropped_pictures: list[RowFault] = []

    @property
    def good(self) -> pa.BooleanArray:
        """For each row whether nothing stands against it."""
        return pa.array(self._reasons == "", pa.bool_())

    def faults(self) -> list[RowFault]:
        """Return a fault for each row set aside and for each single picture dropped from a row that stays."""
        bad = np.flatnonzero(self._reasons != "")
        rows = [
            RowFault(self._where(row), name, self._reasons[row], self._messages.get(row, ""))
            for row, name in zip(bad.tolist(), self._ids.take(pa.array(bad)).to_pylist(), strict=True)
        ]
        return [*rows, *self._dropped_pictures]

    def against(self, mask: pa.ChunkedArray | pa.Array | NDArray[np.bool_], reason: str) -> None:
        """Set aside the rows of a mask for one of the known reasons."""
        flags = mask if isinstance(mask, np.ndarray) else mask.to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(flags & (self._reasons == "")).tolist():
            self._set_aside(row, reason, _MESSAGES[reason])

    def against_duplicates(self) -> None:
        """Set aside every row whose product id an earlier good row has."""
        good = np.flatnonzero(self._reasons == "")
        codes = self._ids.take(pa.array(good)).combine_chunks().dictionary_encode().indices.to_numpy()
        repeated = np.ones(len(good), dtype=np.bool_)
        repeated[np.unique(codes, return_index=True)[1]] = False
        for row in good[repeated].tolist():
            self._set_aside(row, "duplicate-id", _MESSAGES["duplicate-id"])

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
            elif not self._reasons[row]:
                self._set_aside(row, wrong[place], message)
        self.against(left == 0, "no-picture")
        return placed

    def _set_aside(self, row: int, reason: str, message: str) -> None:
        self._reasons[row] = reason
        self._messages[row] = message


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
