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
        size: its bytes in the file.
    """

    place: str
    values: dict[str, Any]
    size: int


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
            faults.append(f"{part.strip()!r} is not of the form name:kind:length with kind float, int or str")
            continue
        columns.append(Column(words[0], words[1], int(words[2])))
    names = [column.name for column in columns]
    faults += [f"{name!r} comes twice" for name in sorted({name for name in names if names.count(name) > 1})]
    if faults:
        raise SettingsError("the schema cannot be read", faults)
    return tuple(columns)


def read_rows(paths: Sequence[Path], schema: Sequence[Column], *, skip: int = 0) -> Iterator[PairRow]:
    """Read files one after another, a row at a time.

    Args:
        paths: of the files.
        schema: their columns.
        skip: rows to pass over at the beginning, unread.

    Yields:
        The rows, empty lines left out.

    Raises:
        PairFileError: a file is missing, or a row has another number of columns or of values, or a value that is
            none; the message names file and line.
    """
    for path in paths:
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if not line.strip():
                        continue
                    if skip:
                        skip -= 1
                        continue
                    yield _row(f"{path}, line {number}", line, schema)
        except OSError as error:
            raise PairFileError(f"{path} cannot be read ({error.strerror})") from error


def _row(place: str, line: bytes, schema: Sequence[Column]) -> PairRow:
    try:
        cells = line.decode("utf-8").rstrip("\r\n").split("\t")
    except UnicodeDecodeError as error:
        raise PairFileError(f"{place} is not UTF-8 text ({error})") from error
    if len(cells) != len(schema):
        raise PairFileError(f"{place} has {len(cells)} columns, the schema {len(schema)}: name its own with --schema")
    values = {column.name: _cell(place, column, cell) for column, cell in zip(schema, cells, strict=True)}
    return PairRow(place, values, len(line))


def _cell(place: str, column: Column, cell: str) -> NDArray[Any] | str:
    if column.kind == "str":
        return cell.strip()
    arrow, numpy = _TYPES[column.kind]
    words = pc.split_pattern(pa.scalar(cell), ",").values  # pyright: ignore[reportAttributeAccessIssue]
    if len(words) != column.length:
        raise PairFileError(f"{place}: {column.name} has {len(words)} values, the schema says {column.length}")
    try:
        trimmed = pc.utf8_trim_whitespace(words)  # pyright: ignore[reportAttributeAccessIssue]
        values = pc.cast(trimmed, arrow).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid as error:
        raise PairFileError(f"{place}: {column.name} holds what is no {column.kind} ({error})") from error
    if column.kind == "float" and not np.isfinite(values).all():
        raise PairFileError(f"{place}: {column.name} holds NaN or infinity at value {np.argmin(np.isfinite(values))}")
    return values.astype(numpy, copy=False)
