"""Parquet files with the pictures inside, as Hugging Face writes them, or with paths of picture files.

The metadata are read at once, without the bytes of the pictures. See
:mod:`~fashionbert.catalogue.parquet_pictures` for how pictures are found again.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fashionbert.catalogue.arrow import pc
from fashionbert.catalogue.cells import as_text, has_text
from fashionbert.catalogue.columns import repeated, resolve_columns
from fashionbert.catalogue.labels import spell_labels
from fashionbert.catalogue.parquet_pictures import VIEWS, ParquetPictures
from fashionbert.catalogue.pictures import FilePictures
from fashionbert.catalogue.rows import RawRows, build_catalogue
from fashionbert.catalogue.split import split_of_file
from fashionbert.catalogue.table import Catalogue
from fashionbert.config import CatalogueSettings
from fashionbert.errors import CatalogueError


def read_parquet(files: Sequence[Path], settings: CatalogueSettings, name: str) -> Catalogue:
    """Read a catalogue from Parquet files of the same columns.

    The image column holds Hugging Face images (a struct of bytes and path), plain bytes, a list
    of such structs, or paths.

    Args:
        files: the shards in their order; a name such as ``train-00000-of-00002.parquet`` tells the split.
        settings: columns, text template, image folder, split.
        name: what reports call the catalogue.

    Returns:
        The catalogue, its splits complete.

    Raises:
        CatalogueError: a file is no Parquet file, columns are missing or differ, or no row is usable.
    """
    kinds, counts = _survey(files, name)
    found, _ = resolve_columns(list(kinds), settings.columns)
    image = found.fields.get("image")
    embedded = image is not None and _holds_bytes(kinds[image])
    wanted = {column for column, kind in kinds.items() if has_text(kind) or column in found.fields.values()}
    if embedded:
        wanted.discard(image)
    tables = [_read_texts(file, wanted) for file in files]
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise CatalogueError(f"cannot read catalogue {name!r}", [f"its files do not fit together: {error}"]) from error
    root = Path(settings.image_root) if settings.image_root else files[0].parent
    rows = RawRows(
        table=table,
        files=[file.name for file in files],
        file_splits=[split_of_file(file.name) for file in files],
        file_codes=np.repeat(np.arange(len(files)), counts),
        row_numbers=np.concatenate([np.arange(1, count + 1) for count in counts]),
        source=ParquetPictures(files, image, root) if image is not None and embedded else FilePictures(root),
        image_column=image if embedded else None,
        references=_references(files, counts, image, kinds[image]) if image is not None and embedded else None,
    )
    return build_catalogue(rows, settings, name)


def _survey(files: Sequence[Path], name: str) -> tuple[dict[str, pa.DataType], list[int]]:
    """Return the columns of all files together, each with its kind in the first file that has it, and the rows."""
    kinds: dict[str, pa.DataType] = {}
    counts: list[int] = []
    faults: list[str] = []
    for file in files:
        try:
            with pq.ParquetFile(file) as parquet:
                schema = parquet.schema_arrow
                counts.append(parquet.metadata.num_rows)
        except (OSError, pa.ArrowException) as error:
            faults.append(f"{file.name} is no whole Parquet file ({error}): write or fetch it again")
            continue
        faults += [f"{file.name}: {fault}" for fault in repeated(schema.names)]
        kinds = {column: schema.field(column).type for column in schema.names} | kinds
    if faults:
        raise CatalogueError(f"cannot read catalogue {name!r}", faults)
    return kinds, counts


def _read(file: Path, columns: list[str]) -> pa.Table:
    with pq.ParquetFile(file) as parquet:
        return parquet.read(columns=columns)


def _read_texts(file: Path, wanted: Collection[str]) -> pa.Table:
    """Read columns as texts, so that shards fit together whose ids are numbers here and texts there."""
    table = spell_labels(_read(file, [column for column in pq.read_schema(file).names if column in wanted]))
    for index, (column, values) in enumerate(zip(table.column_names, table.columns, strict=True)):
        text = None if _is_list(values.type) else as_text(values)
        table = table if text is None else table.set_column(index, column, text)
    return table


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def _holds_bytes(kind: pa.DataType) -> bool:
    if _is_list(kind):
        return pa.types.is_struct(kind.value_type) and _holds_bytes(kind.value_type)
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _references(files: Sequence[Path], counts: Sequence[int], image: str, kind: pa.DataType) -> pa.ListArray:
    """Return the references of each row's pictures; of lists of pictures, only the lengths are read."""
    if _is_list(kind):
        lengths = np.concatenate([_list_lengths(file, image) for file in files])
    else:
        lengths = np.ones(sum(counts), dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    rows = np.repeat(np.arange(len(lengths)), lengths)
    views = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(rows * VIEWS + views))


def _list_lengths(file: Path, column: str) -> NDArray[np.int64]:
    schema = pq.read_metadata(file).schema
    leaves = [schema.column(index).path for index in range(len(schema.names))]
    leaf = next(path for path in leaves if path.startswith(f"{column}.") and not path.endswith(".bytes"))
    lists = _read(file, [leaf]).column(0)
    return pc.list_value_length(lists).fill_null(0).to_numpy().astype(np.int64)
