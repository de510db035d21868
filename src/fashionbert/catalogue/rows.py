"""From the raw rows of any reader to a catalogue: fields, texts, pictures, faults and splits.

Every step works on whole Arrow columns. A row that cannot be used is set aside with a reason; only when the columns
themselves are wrong, or nothing is left, is there an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fashionbert.catalogue.arrow import pc
from fashionbert.catalogue.cells import as_text, compact
from fashionbert.catalogue.columns import Columns, resolve_columns
from fashionbert.catalogue.judge import Judge, summarise
from fashionbert.catalogue.pictures import FilePictures
from fashionbert.catalogue.split import complete_splits, normal_names
from fashionbert.catalogue.table import FIELDS, Catalogue, PictureSource, RowFault
from fashionbert.catalogue.template import fill_template, parse_template
from fashionbert.config import CatalogueSettings
from fashionbert.errors import CatalogueError

Texts = dict[str, pa.ChunkedArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRows:
    """What a reader found, before anything is judged.

    Attributes:
        table: the raw columns, embedded pictures left out.
        files: names of the files that the rows come from.
        file_splits: for each file the split that it stands for, or the empty string.
        file_codes: for each row its place in ``files``.
        row_numbers: for each row its number in its file, counted from 1.
        source: opens the references, or files below the image folder.
        image_column: the column of embedded pictures; None where ``table`` names picture files.
        references: for each row the references of its embedded pictures.
        faults: rows that could not even be read.
    """

    table: pa.Table
    files: Sequence[str]
    file_splits: Sequence[str]
    file_codes: NDArray[np.int64]
    row_numbers: NDArray[np.int64]
    source: PictureSource
    image_column: str | None = None
    references: pa.ListArray | None = None
    faults: Sequence[RowFault] = ()

    def where(self, row: int) -> str:
        """Return the place of a row in words."""
        return f"{self.files[self.file_codes[row]]} row {self.row_numbers[row]}"


def build_catalogue(rows: RawRows, settings: CatalogueSettings, name: str) -> Catalogue:
    """Turn raw rows into products; what cannot be used goes to ``Catalogue.faults``.

    Args:
        rows: what a reader found.
        settings: columns, text template, split.
        name: what reports call the catalogue.

    Returns:
        The catalogue of the rows that can be used.

    Raises:
        CatalogueError: columns are missing or mapped wrongly (all of them are listed), or no row is usable.
    """
    columns, fields, attributes = _read_columns(rows, settings, name)
    empty = pa.chunked_array([pa.repeat(pa.scalar("", pa.large_string()), rows.table.num_rows)])
    ids, text, group = fields["product_id"], fields["text"], fields.get("group_id", empty)
    split = normal_names(fields["split"]) if "split" in fields else _splits_of_files(rows)

    judge = Judge(ids, rows.where)
    judge.against(pc.equal(ids, ""), "empty-id")
    judge.against(pc.equal(text, ""), "empty-text")
    if pc.any(pc.not_equal(split, "")).as_py():
        judge.against(pc.equal(split, ""), "empty-split")
    pictures = _find_pictures(rows, columns, judge)
    judge.against_duplicates()
    faults = [*rows.faults, *judge.faults()]
    good = judge.good
    if not pc.any(good).as_py():
        raise CatalogueError(f"nothing in {name!r} can be used", summarise(faults) or ["it has no rows"])

    group = pc.if_else(pc.equal(group, ""), ids, group).filter(good)
    split = complete_splits(split.filter(good), group, settings.validation_share, settings.split_seed)
    table = {
        "product_id": ids.filter(good),
        "group_id": group,
        "text": text.filter(good),
        "category": fields.get("category", empty).filter(good),
        "subcategory": fields.get("subcategory", empty).filter(good),
        "split": split,
        **{key: column.filter(good) for key, column in attributes.items()},
    }
    kept = pa.chunked_array([pictures.filter(good)])
    return Catalogue(compact(pa.table(table)), kept, rows.source, name=name, faults=faults)


def _read_columns(rows: RawRows, settings: CatalogueSettings, name: str) -> tuple[Columns, Texts, Texts]:
    """Return the columns, the texts of our fields (the template filled in), and the texts of the attributes."""
    raw = rows.table.column_names
    mapping = dict(settings.columns)
    if rows.image_column is not None:
        mapping["image"] = rows.image_column
    columns, faults = resolve_columns(
        [*raw, rows.image_column] if rows.image_column is not None else raw,
        mapping,
        text_from_template=settings.text is not None,
    )
    texts = {key: text for key in raw if (text := as_text(rows.table.column(key))) is not None}
    fields = {our: texts[column] for our, column in columns.fields.items() if column in texts}
    for our in sorted(set(columns.fields) - set(fields) - {"image"}):
        column = columns.fields[our]
        kind = rows.table.schema.field(column).type if column in raw else "pictures"
        faults.append(f"{our}: column {column!r} holds {kind}, which is no text; name another with columns {our}=...")
    if settings.text is not None:
        fields["text"], more = _text_of_template(settings.text, {**fields, **texts})
        faults += more
    if faults:
        raise CatalogueError(f"cannot read catalogue {name!r}", faults)
    return columns, fields, {key: texts[key] for key in columns.attributes if key in texts and key not in FIELDS}


def _text_of_template(template: str, columns: Mapping[str, pa.ChunkedArray]) -> tuple[pa.ChunkedArray, list[str]]:
    pieces, faults = parse_template(template, list(columns))
    if faults:
        return pa.chunked_array([], pa.large_string()), faults
    return fill_template(pieces, columns), []


def _splits_of_files(rows: RawRows) -> pa.ChunkedArray:
    names = pa.array(rows.file_splits, pa.large_string())
    return pa.chunked_array([names.take(pa.array(rows.file_codes))])


def _find_pictures(rows: RawRows, columns: Columns, judge: Judge) -> pa.ListArray:
    if rows.references is not None:
        judge.against(pc.equal(pc.list_value_length(rows.references), 0), "no-picture")
        return rows.references
    if not isinstance(rows.source, FilePictures):
        raise TypeError(f"rows without references need picture files, not {type(rows.source).__name__}")
    return judge.place_pictures(rows.table.column(columns.fields["image"]), rows.source)
