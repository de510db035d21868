"""What is held in memory of a table's version, read whole or made of the former version and what is new.

After a write of one product among a hundred thousand all other rows are as they were, and reading them again would
keep every search waiting for a second.

Letters: R rows (pictures), E vector size.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fashionbert.search.attributes import Column, joined_columns, read_columns
from fashionbert.search.table import IDENTITY, ViewTable

CARD_COLUMNS = ("product_id", "group_id", "text", "category", "subcategory", "attributes", "view", "picture")
_MOST_NEW = 0.2
"""Share of new rows above which all are read: that is one pass over the files, and new ones are sought one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRows:
    """Rows of a version, in its order.

    Attributes:
        row_ids: the engine's number of each row [R]; a row that was written again has another.
        rows: :data:`CARD_COLUMNS`, or the short ones of them where the table is too large.
        words: numbers of the words of each text [R].
        vectors: unit vectors [R, E]; None where the table is too large.
        columns: attributes by name.
        identities: which picture of what content each row is; None where the table is too large.
    """

    row_ids: NDArray[np.uint64]
    rows: pa.Table
    words: pa.ListArray
    vectors: NDArray[np.float32] | None
    columns: Mapping[str, Column]
    identities: pa.Table | None


def read_rows(table: ViewTable, *, whole: bool) -> HeldRows:
    """Read the rows of a table that is held at its version.

    Args:
        table: the table.
        whole: with texts and vectors.

    Returns:
        Its rows.

    Raises:
        SearchIndexError: a file of the table is lost or damaged.
    """
    rows = table.rows_in_memory(whole=whole)
    return HeldRows(
        row_ids=rows["_rowid"].to_numpy(),
        rows=_cards(rows),
        words=rows["words"].combine_chunks(),
        vectors=_vectors(rows) if whole else None,
        columns=read_columns(_attributes_of(rows)),
        identities=rows.select(IDENTITY) if whole else None,
    )


def renewed_rows(former: HeldRows, table: ViewTable) -> HeldRows | None:
    """Make the rows of a version of what is held of a former one and of the rows that are new.

    Args:
        former: held whole.
        table: held at a later version.

    Returns:
        Its rows; None where it is as well to read all of them.

    Raises:
        SearchIndexError: a file of the table is lost or damaged.
    """
    if former.vectors is None or former.identities is None or not len(former.row_ids):
        return None
    identities = table.identities()
    row_ids = identities["_rowid"].to_numpy()
    order = np.argsort(former.row_ids)
    near = order[np.searchsorted(former.row_ids[order], row_ids).clip(max=len(order) - 1)]
    # A row id alone says little: an index that was removed and made anew counts from 0 again.
    is_new_R = (former.row_ids[near] != row_ids) | ~_equal(former.identities.take(pa.array(near)), identities)
    if is_new_R.sum() > _MOST_NEW * len(row_ids):
        return None
    new = table.take(row_ids[is_new_R], [*CARD_COLUMNS, "words", "vector"])
    place_R = np.where(is_new_R, len(former.row_ids) + np.cumsum(is_new_R) - 1, near)
    vectors_RE = np.empty((len(row_ids), former.vectors.shape[1]), np.float32)
    vectors_RE[~is_new_R] = former.vectors[near[~is_new_R]]
    vectors_RE[is_new_R] = _vectors(new)
    return HeldRows(
        row_ids=row_ids,
        rows=pa.concat_tables([former.rows, _cards(new)]).take(pa.array(place_R)).combine_chunks(),
        words=pa.concat_arrays([former.words, new["words"].combine_chunks()]).take(pa.array(place_R)),
        vectors=vectors_RE,
        columns=joined_columns(former.columns, read_columns(_attributes_of(new)), len(former.row_ids), place_R),
        identities=identities.select(IDENTITY),
    )


def _equal(some: pa.Table, others: pa.Table) -> NDArray[np.bool_]:
    """Whether rows are of the same picture and content [R]."""
    equal = [
        pc.equal(some[name].combine_chunks(), others[name].combine_chunks())  # pyright: ignore[reportAttributeAccessIssue]
        for name in IDENTITY
    ]
    return np.logical_and.reduce([each.to_numpy(zero_copy_only=False) for each in equal])


def _cards(rows: pa.Table) -> pa.Table:
    return rows.select([name for name in CARD_COLUMNS if name in rows.column_names]).combine_chunks()


def _attributes_of(rows: pa.Table) -> list[dict[str, str]]:
    columns = (rows[name].to_pylist() for name in ("category", "subcategory", "attributes"))
    return [
        {"category": category, "subcategory": subcategory, **json.loads(attributes)}
        for category, subcategory, attributes in zip(*columns, strict=True)
    ]


def _vectors(rows: pa.Table) -> NDArray[np.float32]:
    column = rows["vector"].combine_chunks()
    size = column.type.list_size
    return np.array(column.flatten().to_numpy()).reshape(len(rows), size)  # a copy, which torch may take as its own
