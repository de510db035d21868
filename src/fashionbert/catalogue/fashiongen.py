"""Fashion-Gen (Rostamzadeh et al., 2018): HDF5 files of 256 x 256 pictures and byte strings, a row for each angle.

Fields as in the challenge's ``fashiongen_256_256_{train,validation}.h5``: ``input_image`` uint8 [N, 256, 256, 3], and
``input_productID``, ``input_name``, ``input_description``, ``input_category``, ``input_subcategory``, ... [N, 1].
Rows of one ``input_productID`` become one product with several pictures; its group is the product.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fashionbert.catalogue.arrow import pc
from fashionbert.catalogue.judge import known_fault
from fashionbert.catalogue.pictures import EmbeddedPicture
from fashionbert.catalogue.rows import RawRows, build_catalogue
from fashionbert.catalogue.split import split_of_file
from fashionbert.catalogue.table import Catalogue, RowFault
from fashionbert.config import CatalogueSettings
from fashionbert.errors import CatalogueError, MissingExtraError, PictureError

IMAGE = "input_image"
_PRODUCT = "product_id"
_NAMES = {"input_productID": _PRODUCT}
_LEFT_OUT = ("index", "index_2")
_ROWS_AT_ONCE = 65536


def read_fashiongen(files: Sequence[Path], settings: CatalogueSettings, name: str) -> Catalogue:
    """Read Fashion-Gen files; a file name with ``train`` or ``validation`` tells the split.

    Columns lose their ``input_`` (``{name}. {description}`` is a text template); without a template the text is the
    description.

    Args:
        files: the HDF5 files.
        settings: columns, text template, split.
        name: what reports call the catalogue.

    Returns:
        The catalogue, its splits complete.

    Raises:
        CatalogueError: a file is no such file, or no row is usable.
        MissingExtraError: h5py is not installed.
    """
    h5py = _h5py()
    tables, lists, numbers, counts = [], [], [], []
    faults: list[RowFault] = []
    broken: list[str] = []
    for file in files:
        try:
            with h5py.File(file) as data:
                table, count = _read_metadata(data)
        except (OSError, KeyError, ValueError) as error:
            broken.append(f"{file.name}: {error}")
            continue
        firsts, references, odd = _merge_angles(table)
        faults += _other_texts(table, odd, file.name)
        tables.append(table.take(pa.array(firsts)))
        numbers.append(firsts + 1)
        lists.append(pa.ListArray.from_arrays(references.offsets, pc.add(references.flatten(), sum(counts))))
        counts.append(count)
    if broken:
        raise CatalogueError(f"cannot read catalogue {name!r}", broken)
    rows = RawRows(
        table=pa.concat_tables(tables, promote_options="permissive"),
        files=[file.name for file in files],
        file_splits=[split_of_file(file.name) for file in files],
        file_codes=np.repeat(np.arange(len(files)), [len(table) for table in tables]),
        row_numbers=np.concatenate(numbers),
        source=FashionGenPictures(files, counts),
        image_column=IMAGE,
        references=pa.concat_arrays(lists),
        faults=faults,
    )
    return build_catalogue(rows, settings, name)


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("h5py", "fashiongen", "Reading Fashion-Gen files") from error
    return h5py


def _read_metadata(data: Any) -> tuple[pa.Table, int]:
    """Return all fields but the pictures as texts, and the number of rows."""
    missing = [field for field in (IMAGE, "input_productID") if field not in data]
    if missing:
        raise ValueError(f"it has no {' and no '.join(missing)}; there are: {', '.join(data)}")
    count = len(data[IMAGE])
    columns = {}
    for field, values in data.items():
        if field == IMAGE or field in _LEFT_OUT or getattr(values, "shape", ())[:1] != (count,):
            continue
        pieces = [
            pa.array([_text(value) for value in np.asarray(values[start : start + _ROWS_AT_ONCE]).reshape(-1).tolist()])
            for start in range(0, count, _ROWS_AT_ONCE)
        ]
        columns[_NAMES.get(field, field.removeprefix("input_"))] = pa.chunked_array(pieces, pa.string())
    return pa.table(columns), count


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _merge_angles(table: pa.Table) -> tuple[NDArray[np.int64], pa.ListArray, list[int]]:
    """Find the rows of each product.

    Args:
        table: the metadata of all rows of a file.

    Returns:
        The first row of each product, all its rows, and the rows left out because they describe it otherwise.
    """
    codes = _codes(table, _PRODUCT)
    nameless = np.flatnonzero(pc.equal(table.column(_PRODUCT), "").to_numpy())
    codes[nameless] = len(codes) + np.arange(len(nameless))
    _, firsts, codes = np.unique(codes, return_index=True, return_inverse=True)
    texts = _codes(table, "description") if "description" in table.column_names else np.zeros_like(codes)
    odd = texts != texts[firsts[codes]]
    rows = np.flatnonzero(~odd)
    order = rows[np.argsort(codes[rows], kind="stable")]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(codes[rows], minlength=len(firsts)))])
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(order, pa.int64()))
    return firsts.astype(np.int64), lists, np.flatnonzero(odd).tolist()


def _other_texts(table: pa.Table, rows: Sequence[int], file_name: str) -> list[RowFault]:
    ids = table.column(_PRODUCT).take(pa.array(rows, pa.int64())).to_pylist()
    return [known_fault("other-text", f"{file_name} row {row + 1}", name) for row, name in zip(rows, ids, strict=True)]


def _codes(table: pa.Table, column: str) -> NDArray[np.int64]:
    return table.column(column).combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)


class FashionGenPictures:
    """The pictures of Fashion-Gen files; a reference is a row, counted over all files.

    Safe to use from threads, forked processes and pickles.
    """

    def __init__(self, files: Sequence[Path], counts: Sequence[int]) -> None:
        self._files = tuple(files)
        self._starts = np.cumsum([0, *counts])
        self._open: tuple[int, dict[int, Any]] = (0, {})

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": (0, {})}

    def open(self, reference: int) -> EmbeddedPicture:
        """Return the picture of this row."""
        return EmbeddedPicture(self, reference)

    def name_of(self, reference: int) -> str:
        """Return file and row."""
        code, row = self._place(reference)
        return f"{self._files[code].name} row {row + 1}"

    def identity(self, reference: int) -> str:
        """Return the row, and the bytes stored for all pictures of its file, so that another file shows."""
        code, row = self._place(reference)
        return f"{row}:{self._images(code).id.get_storage_size()}"

    def read(self, reference: int) -> NDArray[np.uint8]:
        """Read a picture: uint8 [height, width, 3].

        Args:
            reference: which picture.

        Returns:
            Pixels, uint8 [height, width, 3].

        Raises:
            PictureError: the file is damaged or gone.
        """
        code, row = self._place(reference)
        try:
            return self._images(code)[row]
        except (OSError, KeyError) as error:
            raise PictureError("unreadable", f"{self.name_of(reference)}: cannot be read ({error})") from error

    def _place(self, reference: int) -> tuple[int, int]:
        code = int(np.searchsorted(self._starts, reference, side="right")) - 1
        return code, reference - int(self._starts[code])

    def _images(self, code: int) -> Any:
        process, files = self._open
        if process != os.getpid():
            files = {}
            self._open = (os.getpid(), files)
        if code not in files:
            files[code] = _h5py().File(self._files[code])
        return files[code][IMAGE]
