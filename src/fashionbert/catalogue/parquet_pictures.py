"""Pictures inside Parquet files, found again by row.

A picture is read together with its neighbours in the row group, some hundred rows at a time: going through a
catalogue in its order reads each byte once, and a picture at random costs one piece. Row groups of any size work,
but in one of a million rows a jump backwards starts again at its beginning; write them with some hundred rows each.
"""

import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fashionbert.catalogue.pictures import EmbeddedPicture, read_image_value
from fashionbert.errors import PictureError

ROWS_A_PIECE = 256
"""Rows whose pictures are read at once."""
PIECES_KEPT = 4
"""Pieces kept in memory."""
VIEWS = 1 << 16
"""View v of row r, counted over all files, has the reference r * VIEWS + v."""


class ParquetPictures:
    """The pictures of one column of Parquet files; safe to use from threads, forked processes and pickles.

    Args:
        files: the files, in the order in which their rows are counted.
        column: name of the image column.
        root: folder that paths without bytes start from.
    """

    def __init__(self, files: Sequence[Path], column: str, root: Path) -> None:
        self._files = tuple(files)
        self._column = column
        self._root = root
        groups = [
            (code, group, metadata.row_group(group).num_rows, _stored_bytes(metadata.row_group(group), column))
            for code, file in enumerate(files)
            for metadata in [pq.read_metadata(file)]
            for group in range(metadata.num_row_groups)
        ]
        self._group_places = [(code, group) for code, group, _, _ in groups]
        self._group_bytes = [size for _, _, _, size in groups]
        self._group_starts = np.cumsum([0, *(count for _, _, count, _ in groups)])
        self._reader: tuple[int, _Reader] | None = None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_reader": None}

    def open(self, reference: int) -> EmbeddedPicture:
        """Return the picture of this reference."""
        return EmbeddedPicture(self, reference)

    def name_of(self, reference: int) -> str:
        """Return file and row, and the view if it is not the first."""
        row, view = divmod(reference, VIEWS)
        code, _ = self._group_places[self._group_of(row)]
        first = next(
            start for start, place in zip(self._group_starts, self._group_places, strict=False) if place[0] == code
        )
        return f"{self._files[code].name} row {row - first + 1}" + (f" picture {view + 1}" if view else "")

    def identity(self, reference: int) -> str:
        """Return the place, and the bytes stored for its row group, so that rewritten pictures show."""
        row, view = divmod(reference, VIEWS)
        group = self._group_of(row)
        return f"{row - self._group_starts[group]}.{view}:{self._group_bytes[group]}"

    def read(self, reference: int) -> bytes:
        """Read a picture.

        Args:
            reference: which picture.

        Returns:
            Encoded bytes.

        Raises:
            PictureError: it is missing, or the file is damaged or gone.
        """
        row, view = divmod(reference, VIEWS)
        if self._reader is None or self._reader[0] != os.getpid():
            self._reader = (os.getpid(), _Reader(self))
        try:
            value = self._reader[1].value(row)
        except (OSError, pa.ArrowException) as error:
            name = self.name_of(reference)
            raise PictureError("unreadable", f"{name}: cannot be read ({error}); fetch the file again") from error
        if isinstance(value, list):
            value = value[view]
        return read_image_value(value, self.name_of(reference), self._root)

    def _group_of(self, row: int) -> int:
        return int(np.searchsorted(self._group_starts, row, side="right")) - 1

    def stream(self, row: int) -> tuple[int, int, Iterator[pa.RecordBatch]]:
        """Return the first row, the end, and the pieces of the row group that holds a row."""
        group = self._group_of(row)
        code, place = self._group_places[group]
        parquet = pq.ParquetFile(self._files[code], buffer_size=1 << 20, pre_buffer=False)
        pieces = parquet.iter_batches(ROWS_A_PIECE, row_groups=[place], columns=[self._column], use_threads=False)
        return int(self._group_starts[group]), int(self._group_starts[group + 1]), pieces


class _Reader:
    """The open row group and the last pieces of a process."""

    def __init__(self, pictures: ParquetPictures) -> None:
        self._pictures = pictures
        self._lock = threading.Lock()
        self._pieces: deque[tuple[int, pa.Array]] = deque(maxlen=PIECES_KEPT)
        self._next, self._end = 0, 0
        self._stream: Iterator[pa.RecordBatch] = iter(())

    def value(self, row: int) -> object:
        """Return the value of a row as Python objects."""
        with self._lock:
            for start, piece in self._pieces:
                if start <= row < start + len(piece):
                    return piece[row - start].as_py()
            if not self._next <= row < self._end:
                self._next, self._end, self._stream = self._pictures.stream(row)
            while True:
                piece = next(self._stream).column(0)
                start, self._next = self._next, self._next + len(piece)
                if row < self._next:
                    self._pieces.append((start, piece))
                    return piece[row - start].as_py()


def _stored_bytes(group: pq.RowGroupMetaData, column: str) -> int:
    chunks = [group.column(index) for index in range(group.num_columns)]
    return sum(c.total_uncompressed_size for c in chunks if c.path_in_schema.split(".")[0] == column)
