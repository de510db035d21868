"""The authors' feature files: a row a pair, columns separated by tabs, the values of a column by commas.

A schema names the columns in order, ``name:kind:length`` each; released code, ``run_train.sh`` and ``run_pred.sh``. A
row of the published size is 1.3 MB of text: rows are read one at a time, so a file may be of any size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fashionbert.errors import PairFileError, SettingsError

EVALUATION_SCHEMA = (
    "image_feature:float:131072,image_mask:int:64,input_ids:int:64,input_mask:int:64,segment_ids:int:64,"
    "nx_sent_labels:int:1,prod_desc:str:1,text_prod_id:str:1,image_prod_id:str:1,prod_img_id:str:1"
)
TRAINING_SCHEMA = (
    "image_feature:float:131072,image_mask:int:64,masked_patch_positions:int:5,input_ids:int:64,input_mask:int:64,"
    "segment_ids:int:64,masked_lm_positions:int:10,masked_lm_ids:int:10,masked_lm_weights:float:10,nx_sent_labels:int:1"
)
_TYPES = {"float": (pa.float32(), np.float32), "int": (pa.int64(), np.int64)}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a schema.

    Attributes:
        name: as in the schema.
        kind: ``float``, ``int`` or ``str``.
        length: values in it.
    """

    name: str
    kind: str
    length: int


@dataclass(frozen=True, slots=True)
class PairRow:
    """One row.

    Attributes:
        place: file and line, for messages.
        values: array or text of each column by name.
        raw: its bytes in the file.
    """

    place: str
    values: dict[str, Any]
    raw: bytes


def parse_schema(schema: str) -> tuple[Column, ...]:
    """Read a schema.

    Args:
        schema: ``name:kind:length`` of each column, separated by commas.

    Returns:
        The columns.

    Raises:
        SettingsError: parts of it are malformed, or a name comes twice; all of them are listed.
    """
    columns, faults = [], []
    for part in schema.split(","):
        words = [word.strip() for word in part.split(":")]
        if len(words) != 3 or words[1] not in (*_TYPES, "str") or not words[2].isdecimal() or int(words[2]) < 1:
            faults.append(
                f"{part.strip()!r} is not of the form name:kind:length with kind float, int or str (base64 is not read)"
            )
            continue
        columns.append(Column(words[0], words[1], int(words[2])))
    names = [column.name for column in columns]
    faults += [f"{name!r} comes twice" for name in sorted({name for name in names if names.count(name) > 1})]
    if faults:
        raise SettingsError("the schema cannot be read", faults)
    return tuple(columns)


def read_lines(paths: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """Read the lines of files one after another, empty ones left out.

    Args:
        paths: of the files.

    Yields:
        File and line number as messages name them, and the line.

    Raises:
        PairFileError: a file is missing or cannot be read.
    """
    for path in paths:
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if line.rstrip(b"\r\n"):
                        yield f"{path}, line {number}", line
        except OSError as error:
            raise PairFileError(f"{path} cannot be read ({error.strerror})") from error


def parse_row(place: str, line: bytes, schema: Sequence[Column]) -> PairRow:
    """Take a line apart.

    Args:
        place: what messages call it.
        line: its bytes.
        schema: the columns.

    Returns:
        The row.

    Raises:
        PairFileError: another number of columns or of values, or a value that is none; all faults of the line.
    """
    try:
        cells = line.decode("utf-8").rstrip("\r\n").split("\t")
    except UnicodeDecodeError as error:
        raise PairFileError(f"{place} is not UTF-8 text ({error})") from error
    if len(cells) != len(schema):
        raise PairFileError(f"{place} has {len(cells)} columns, the schema {len(schema)}: name its own with --schema")
    values: dict[str, Any] = {}
    faults = []
    for column, cell in zip(schema, cells, strict=True):
        try:
            values[column.name] = cell if column.kind == "str" else _numbers(column, cell)
        except ValueError as error:
            faults.append(f"{column.name} {error}")
    if faults:
        raise PairFileError(f"{place}: {'; '.join(faults)}")
    return PairRow(place, values, line)


def _numbers(column: Column, cell: str) -> NDArray[Any]:
    arrow, numpy = _TYPES[column.kind]
    words = pc.split_pattern(pa.scalar(cell.removesuffix(",")), ",").values  # pyright: ignore[reportAttributeAccessIssue]
    if len(words) != column.length:
        raise ValueError(f"has {len(words)} values, the schema says {column.length}")
    trimmed = pc.utf8_trim_whitespace(words)  # pyright: ignore[reportAttributeAccessIssue]
    try:
        values = pc.cast(trimmed, arrow).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid as error:
        raise ValueError(f"holds what is no {column.kind} ({error})") from error
    if column.kind == "float" and not np.isfinite(values).all():
        raise ValueError(f"holds NaN or infinity at value {np.argmin(np.isfinite(values))}")
    return values.astype(numpy, copy=False)
