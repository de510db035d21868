"""CSV and JSONL tables beside a folder of images.

Cells stay as they are written: an id ``007`` keeps its zeros. Lines that do not fit are set aside by number.
"""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from fashionbert.catalogue.columns import repeated
from fashionbert.catalogue.pictures import FilePictures
from fashionbert.catalogue.rows import RawRows, build_catalogue
from fashionbert.catalogue.split import split_of_file
from fashionbert.catalogue.table import Catalogue, RowFault
from fashionbert.config import CatalogueSettings
from fashionbert.errors import CatalogueError

DELIMITERS = ",;\t"
_JSON_ENDINGS = (".jsonl", ".ndjson")
_LINES_AT_ONCE = 8192
_BLOCK_BYTES = 16 << 20
_REST_OF_QUOTED = re.compile(r'(?:[^"]|"")*+"')

Part = tuple[pa.Table, NDArray[np.int64], list[RowFault]]


def read_tables(files: Sequence[Path], settings: CatalogueSettings, name: str) -> Catalogue:
    """Read a catalogue from CSV or JSONL files whose image column names picture files.

    A cell may name several pictures (``front.jpg|back.jpg``; in JSONL also a list). Paths start from
    ``settings.image_root``, else from the folder of the tables, and may not leave it.

    Args:
        files: the tables; a name such as ``validation.csv`` tells the split where there is no split column.
        settings: columns, text template, image folder, split.
        name: what reports call the catalogue.

    Returns:
        The catalogue, its splits complete.

    Raises:
        CatalogueError: a file is no such table, columns are missing, or no row is usable.
    """
    parts: list[Part] = []
    broken: list[str] = []
    for file in files:
        json_lines = settings.format == "jsonl" or (settings.format != "csv" and file.suffix.lower() in _JSON_ENDINGS)
        try:
            parts.append(_read_jsonl(file) if json_lines else _read_csv(file))
        except UnicodeDecodeError as error:
            broken.append(f"{file.name} is not UTF-8 ({error.reason} at byte {error.start}): save it as UTF-8")
        except csv.Error as error:
            broken.append(f"{file.name}: its header cannot be read ({error}): close the quotes in line 1")
        except (OSError, pa.ArrowException) as error:
            broken.append(f"{file.name}: {error}")
    if broken:
        raise CatalogueError(f"cannot read catalogue {name!r}", broken)
    tables, numbers, faults = zip(*parts, strict=True)
    rows = RawRows(
        table=pa.concat_tables(tables, promote_options="permissive"),
        files=[file.name for file in files],
        file_splits=[split_of_file(file.name) for file in files],
        file_codes=np.repeat(np.arange(len(files)), [len(table) for table in tables]),
        row_numbers=np.concatenate(numbers),
        source=FilePictures(Path(settings.image_root) if settings.image_root else files[0].parent),
        faults=[fault for part in faults for fault in part],
    )
    return build_catalogue(rows, settings, name)


def _read_csv(file: Path) -> Part:
    """Read a CSV file with every cell as text."""
    names, delimiter = _read_header(file)
    if faults_of_names := repeated(names):
        raise pa.ArrowInvalid("; ".join(faults_of_names))
    if line := _open_quote(file, delimiter):
        raise pa.ArrowInvalid(
            f"the quote that opens a cell in line {line} is never closed and takes in all that follows: close it; "
            "where it belongs to the text, quote the cell and double the quotes within"
        )
    faults: list[RowFault] = []
    invalid: list[int] = []

    def set_aside(row: pyarrow.csv.InvalidRow) -> str:
        number = (row.number or 0) - 1
        invalid.append(number)
        message = f"it has {row.actual_columns} cells where the header has {row.expected_columns}: mend its quotes"
        faults.append(RowFault(f"{file.name} row {number}", "", "wrong-cells", message))
        return "skip"

    table = pyarrow.csv.read_csv(
        file,
        read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=set_aside
        ),
        convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string())),
    )
    numbers = np.setdiff1d(np.arange(1, len(table) + len(invalid) + 1), invalid)
    return table, numbers, faults


def _read_header(file: Path) -> tuple[list[str], str]:
    """Return the column names and the delimiter, which is the candidate that cuts the header into most names."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        start = lines.tell()
        headers = {}
        for delimiter in DELIMITERS:
            lines.seek(start)
            headers[delimiter] = next(csv.reader(lines, delimiter=delimiter), [])
    delimiter = max(headers, key=lambda candidate: len(headers[candidate]))
    return headers[delimiter], delimiter


def _open_quote(file: Path, delimiter: str) -> int | None:
    """Return the line in which a quoted cell begins that the file ends inside of.

    Arrow reads such a file without a word, all the rest of it one cell. A quote counts where Arrow counts it: at the
    beginning of a cell, and within one that began so; two of them there are a letter.
    """
    beginning = re.compile(rf'(?:^(?:\xef\xbb\xbf)?|{delimiter})"')
    opened: int | None = None
    with file.open(encoding="latin-1", newline="") as lines:  # a letter a byte: nothing is decoded, nothing can fail
        for number, line in enumerate(lines, start=1):
            place = 0
            while found := (beginning.search if opened is None else _REST_OF_QUOTED.match)(line, place):
                place = found.end()
                opened = number if opened is None else None
    return opened


def _read_jsonl(file: Path) -> Part:
    """Read a file of one JSON object a line; values become text, lists stay lists."""
    tables: list[pa.Table] = []
    numbers: list[int] = []
    faults: list[RowFault] = []
    with file.open(encoding="utf-8-sig") as lines:
        numbered = enumerate(lines, start=1)
        while piece := list(islice(numbered, _LINES_AT_ONCE)):
            records = list(_parse_lines(piece, file.name, faults))
            numbers += [number for number, _ in records]
            names = list(dict.fromkeys(name for _, record in records for name in record))
            columns = {name: _column([record.get(name) for _, record in records]) for name in names}
            tables.append(pa.table(columns))
    if not tables:
        raise pa.ArrowInvalid("the file is empty")
    return pa.concat_tables(tables, promote_options="permissive"), np.array(numbers, dtype=np.int64), faults


def _parse_lines(
    lines: Sequence[tuple[int, str]], file_name: str, faults: list[RowFault]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            faults.append(RowFault(f"{file_name} row {number}", "", "not-json", f"it is no JSON ({error}): mend it"))
            continue
        if isinstance(record, dict):
            yield number, record
        else:
            message = f"it is a {type(record).__name__}, not an object: write {{...}} on each line"
            faults.append(RowFault(f"{file_name} row {number}", "", "not-json", message))


def _column(values: list[Any]) -> pa.Array:
    """Make a column of texts, or of lists of texts if any value is a list."""
    if any(isinstance(value, list) for value in values):
        lists = [value if isinstance(value, list) else [value] for value in values]
        return pa.array([[_text(item) for item in items] for items in lists], pa.list_(pa.large_string()))
    return pa.array([_text(value) for value in values], pa.large_string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
