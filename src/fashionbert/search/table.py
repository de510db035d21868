"""The table of an index on disk, in LanceDB: a row for each picture of each product.

A write is one commit: readers see the products before it or after it, also when the writer was killed in the middle.
Readers hold a version and read from it until they look for a newer one, once a day at least.

Letters: R rows, E vector size.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fashionbert.errors import MissingExtraError, SearchIndexError
from fashionbert.files import Reading, only_writer
from fashionbert.search.manifest import MANIFEST
from fashionbert.types import ProductId

if TYPE_CHECKING:
    from lancedb.table import Table

TABLE = "views"
FOLDER = "table"
SHORT = ("product_id", "view", "group_id", "category", "subcategory", "attributes", "words")
"""Columns that searches hold in memory of every index."""
IDENTITY = ("view_id", "content")
"""Columns that tell rows apart: a picture of a product, and a hash of all that its row was made of."""
LONG = ("text", "picture", "vector")
"""Columns that they hold in memory too where all rows are compared."""
_BROKEN = (OSError, RuntimeError, ValueError)
"""What the engine raises for files that are lost, cut or garbled."""
_COMMIT_SECONDS = 30.0
"""Wait for another writer's commit at most so long."""
_HELD_SECONDS = 25 * 3600.0
"""Readers may hold a version that was the newest so long ago: a service looks for a newer one once a day at least."""
_CLOCK_SECONDS = 60.0
"""Between reading the clock and deleting what is older."""
_ANY_AGE, _NO_AGE = timedelta(milliseconds=1), timedelta(days=36_500)
"""Ages of versions to delete: all but the newest, or none."""
_ROWS_FOR_ANN = 5000
"""Below, an approximate index has nothing to gain, and its training too few vectors."""


def schema(vector_size: int) -> pa.Schema:
    """The columns of the table.

    Args:
        vector_size: E.

    Returns:
        A schema; ``words`` are numbered, ``content`` is a hash of all that the row was made of, ``record`` a kept
        picture.
    """
    return pa.schema(
        [
            pa.field("view_id", pa.string(), nullable=False),
            pa.field("product_id", pa.string(), nullable=False),
            pa.field("view", pa.int16(), nullable=False),
            pa.field("group_id", pa.string(), nullable=False),
            pa.field("text", pa.string(), nullable=False),
            pa.field("words", pa.list_(pa.uint32()), nullable=False),
            pa.field("category", pa.string(), nullable=False),
            pa.field("subcategory", pa.string(), nullable=False),
            pa.field("attributes", pa.string(), nullable=False),
            pa.field("picture", pa.string(), nullable=False),
            pa.field("content", pa.string(), nullable=False),
            pa.field("thumbnail", pa.binary(), nullable=False),
            pa.field("vector", pa.list_(pa.float32(), vector_size), nullable=False),
            pa.field("record", pa.large_binary(), nullable=False),
        ]
    )


class ViewTable:
    """The table, at one version."""

    def __init__(self, folder: Path, table: "Table", reading: Reading) -> None:
        """Take an open table; :meth:`open` and :meth:`create` make one."""
        self.folder = folder
        self._table, self._reading = table, reading

    @classmethod
    def create(cls, folder: Path, vector_size: int) -> Self:
        """Make the empty table of an index that is not there yet, while nobody else writes into its folder.

        An empty table is what an indexing leaves behind that is killed early; it may be of another model.

        Args:
            folder: of the index.
            vector_size: E.

        Returns:
            The table.

        Raises:
            SearchIndexError: there is a table with rows, or one that is damaged.
            MissingExtraError: LanceDB is not installed.
        """
        connection = _connect(folder)
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        reading = Reading(folder / FOLDER)
        try:
            is_empty, mode = connection.open_table(TABLE).count_rows() == 0, "overwrite"
        except _BROKEN:  # there is none, one whose making was cut off, or a damaged one
            files = folder / FOLDER / f"{TABLE}.lance"
            is_empty, mode = not [*files.glob("data/*"), *files.glob("_versions/*.manifest")], "create"
        if not is_empty:
            raise SearchIndexError(
                f"{folder} has no {MANIFEST}, but a table that holds rows or is damaged, and nothing says of which "
                f"model: put its {MANIFEST} back, or remove {folder / FOLDER} to make the index anew"
            )
        return cls(folder, connection.create_table(TABLE, schema=schema(vector_size), mode=mode), reading)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the table of an index.

        Args:
            folder: of the index.

        Returns:
            The table at its newest version.

        Raises:
            SearchIndexError: it is missing or damaged.
            MissingExtraError: LanceDB is not installed.
        """
        connection = _connect(folder)
        reading = Reading(folder / FOLDER)  # first: what is opened then stays
        try:
            return cls(folder, connection.open_table(TABLE), reading)
        except _BROKEN as error:
            raise _damaged(folder, error) from error

    @property
    def version(self) -> int:
        """Number of the version; it rises with every commit."""
        return self._table.version

    def __len__(self) -> int:
        return self._table.count_rows()

    def contents(self) -> dict[ProductId, str]:
        """Hash of what each product was made of, so that an unchanged one need not be made again."""
        rows = self._scan(("product_id", "content"))
        return dict(zip(rows["product_id"].to_pylist(), rows["content"].to_pylist(), strict=True))

    def upsert(
        self, rows: pa.Table, product_ids: Sequence[ProductId], *, new: bool, wait: float = _COMMIT_SECONDS
    ) -> None:
        """Write products in one commit, in place of what was there of them.

        Args:
            rows: of all pictures of the products; a product without rows is deleted.
            product_ids: the products.
            new: none of them is believed to be in the table, which is cheaper to write.
            wait: seconds to wait for another writer.

        Raises:
            FolderInUseError: another writer is at work for longer.
        """
        with self._commit(wait):
            if new and self._table.count_rows(_one_of(product_ids)) == 0:  # another writer may have been faster
                self._table.add(rows)
                return
            (
                self._table.merge_insert("view_id")
                .when_matched_update_all()
                .when_not_matched_insert_all()
                .when_not_matched_by_source_delete(_one_of(product_ids))
                .execute(rows)
            )

    def delete(self, product_ids: Sequence[ProductId], *, wait: float = _COMMIT_SECONDS) -> None:
        """Delete products in one commit; arguments and errors as of :meth:`upsert`."""
        with self._commit(wait):
            self._table.delete(_one_of(product_ids))

    def tidy(self, exact_up_to: int, *, wait: float = _COMMIT_SECONDS) -> None:
        """Bring small commits together and index what is new; searches find all products without it, only slower.

        What only older versions have is deleted, unless somebody may be reading from them.

        Args:
            exact_up_to: rows above which vectors get an approximate index.
            wait: seconds to wait for another writer.
        """
        from lancedb.index import IvfPq

        with self._commit(wait):
            if len(self) == 0:
                return
            there = {column for index in self._table.list_indices() for column in index.columns}
            if len(self) > max(exact_up_to, _ROWS_FOR_ANN) and "vector" not in there:
                self._table.create_index("vector", config=IvfPq(distance_type="dot"))
            self._table.optimize(cleanup_older_than=_NO_AGE)
            self._forget()

    def _forget(self) -> None:
        """Delete versions that nobody can hold, and the rows that only they have.

        An index can be opened while it is still being made, so that a new one has readers too. Whoever has a table
        open holds a lock, taken before the newest version is looked up: with no other such lock nobody holds an older
        version, and who comes now waits until they are gone. A service that is running always has one. Then those
        versions stay that were the newest at any time within a day, which is not the same as those that were written
        within a day. Where no locks are seen, on a network drive or on Windows, it is done so, too.
        """
        with self._reading.alone() as alone:
            if alone:
                age = _ANY_AGE
            else:
                written = [version["timestamp"].timestamp() for version in self._table.list_versions()]
                age = timedelta(seconds=age_of_held(written, time.time()))
            self._table.optimize(cleanup_older_than=age)

    @contextmanager
    def _commit(self, wait: float = _COMMIT_SECONDS) -> Iterator[None]:
        """Be the only writer, and write onto what the last one left."""
        with only_writer(self.folder, wait=wait):
            try:
                self._table.checkout_latest()
            except _BROKEN as error:
                raise _damaged(self.folder, error) from error
            yield

    def newest(self) -> Self:
        """The same table at its newest version."""
        return type(self).open(self.folder)

    def pinned(self) -> Self:
        """The same table, held at this version whatever is written from now on."""
        version = self.version
        other = self.newest()
        other._table.checkout(version)
        return other

    def rows_in_memory(self, *, whole: bool) -> pa.Table:
        """Read the short columns of all rows, and ``_rowid``.

        Args:
            whole: with texts, names of pictures and vectors.

        Returns:
            A table [R].
        """
        return self._scan((*SHORT, *LONG, *IDENTITY) if whole else SHORT)

    def identities(self) -> pa.Table:
        """``_rowid``, ``view_id`` and ``content`` of all rows; who is equal in all three is the same row, unchanged."""
        return self._scan(IDENTITY)

    def take(self, rows: Sequence[int] | NDArray[np.integer], columns: Sequence[str]) -> pa.Table:
        """Read columns of rows.

        Args:
            rows: row ids, from a scan of the same version.
            columns: names of columns.

        Returns:
            A table in the order of ``rows``.

        Raises:
            SearchIndexError: a file of the table is lost or damaged.
        """
        wanted = [int(row) for row in rows]
        if not wanted:
            return self._table.schema.empty_table().select(list(columns))
        try:
            found = self._table.take_row_ids(wanted).select([*columns, "_rowid"]).to_arrow()
        except _BROKEN as error:
            raise _damaged(self.folder, error) from error
        place = {row: number for number, row in enumerate(found["_rowid"].to_pylist())}
        return found.take([place[row] for row in wanted]).select(list(columns))

    def find_near(self, vector_E: NDArray[np.float32], limit: int) -> NDArray[np.uint64]:
        """Find rows with vectors near to this one, best first, by the approximate index where there is one."""
        nearest: Any = self._table.search(vector_E, vector_column_name="vector")
        query = nearest.distance_type("dot").select(["_distance"]).with_row_id(True).limit(limit)
        try:
            return query.to_arrow()["_rowid"].to_numpy()
        except _BROKEN as error:
            raise _damaged(self.folder, error) from error

    def _scan(self, columns: Iterable[str]) -> pa.Table:
        try:
            return self._table.search().select(list(columns)).with_row_id(True).limit(max(1, len(self))).to_arrow()
        except _BROKEN as error:
            raise _damaged(self.folder, error) from error


def age_of_held(written: Sequence[float], now: float) -> float:
    """Age of the oldest version that a reader may hold.

    Args:
        written: when each version was; a version is the newest until the next one is written.
        now: in the same seconds.

    Returns:
        Seconds, and a little more: time goes on until versions of a greater age are deleted.
    """
    held = max((each for each in written if each <= now - _HELD_SECONDS), default=min(written))
    return max(0.0, now - held) + _CLOCK_SECONDS  # clocks differ from machine to machine


def _one_of(product_ids: Sequence[ProductId]) -> str:
    quoted = ", ".join("'" + product_id.replace("'", "''") + "'" for product_id in product_ids)
    return f"product_id IN ({quoted})"


def _connect(folder: Path) -> Any:
    try:
        import lancedb
    except ImportError as error:
        raise MissingExtraError("lancedb", "search", "a search index") from error
    return lancedb.connect(folder / FOLDER)


def _damaged(folder: Path, error: Exception) -> SearchIndexError:
    return SearchIndexError(
        f"the table of the index {folder} is lost or damaged ({str(error).splitlines()[0]:.200}); take a whole copy of "
        "the index, or make it anew with `fashionbert index`"
    )
