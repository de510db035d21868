"""Click logs: what shoppers asked, what they were shown, and whether they clicked on it (paper section 3.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
from numpy.typing import NDArray

from fashionbert.errors import CatalogueError
from fashionbert.files import replacing
from fashionbert.types import ProductId

QUERY, PRODUCT, CLICKED, SESSION = "query", "product_id", "clicked", "session"
_NEEDED = (QUERY, PRODUCT, CLICKED)
_YES, _NO = ("1", "true"), ("0", "false")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ClickLog:
    """Rows of a click log.

    Attributes:
        queries: what was asked, in words [N].
        product_ids: what was shown [N].
        clicked: whether it was clicked on [N].
        sessions: rows of one session stay on one side of a split; each row its own where the log names none [N].
    """

    queries: list[str]
    product_ids: list[ProductId]
    clicked: NDArray[np.bool_]
    sessions: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.queries)

    def rows(self, rows: NDArray[np.int64]) -> "ClickLog":
        """Take rows."""
        return ClickLog(
            [self.queries[row] for row in rows.tolist()],
            [self.product_ids[row] for row in rows.tolist()],
            self.clicked[rows],
            self.sessions[rows],
        )

    def split(self, held_out: float, generator: np.random.Generator) -> tuple["ClickLog", "ClickLog"]:
        """Hold whole sessions out.

        Args:
            held_out: share of the sessions.
            generator: which ones.

        Returns:
            Rows to learn from, and rows to measure on, each in the log's order.
        """
        names, session_N = np.unique(self.sessions, return_inverse=True)
        is_out = np.zeros(len(names), np.bool_)
        is_out[generator.permutation(len(names))[: round(held_out * len(names))]] = True
        return self.rows(np.flatnonzero(~is_out[session_N])), self.rows(np.flatnonzero(is_out[session_N]))


def read_clicks(path: Path) -> ClickLog:
    """Read a click log: Parquet, CSV or JSON lines with ``query``, ``product_id``, ``clicked`` (0 or 1), ``session``.

    Args:
        path: the file; its ending tells the kind.

    Returns:
        Its rows. Without a column ``session`` each row is a session.

    Raises:
        CatalogueError: the file cannot be read, columns are missing, or a cell is empty or no 0 or 1; with every fault.
    """
    table = _read_table(path)
    missing = [name for name in _NEEDED if name not in table.column_names]
    if missing:
        raise CatalogueError(
            f"{path} is no click log",
            [f"there is no column {name!r}: the columns are {', '.join(table.column_names)}" for name in missing],
        )
    queries, product_ids, clicked = ([_text(value) for value in table[name].to_pylist()] for name in _NEEDED)
    faults = [*_empty(QUERY, queries), *_empty(PRODUCT, product_ids), *_no_truth(clicked)]
    if not queries:
        faults.append("there are no rows")
    if faults:
        raise CatalogueError(f"{path} is no click log", faults)
    sessions = np.arange(len(queries))
    if SESSION in table.column_names:
        sessions = np.unique([_text(value) for value in table[SESSION].to_pylist()], return_inverse=True)[1]
    return ClickLog(queries, product_ids, np.asarray([value in _YES for value in clicked]), sessions.astype(np.int64))


def write_clicks(table: pa.Table, path: Path) -> None:
    """Write a click log as Parquet, or as CSV where the ending says so."""
    with replacing(path) as temporary:
        if path.suffix.lower() == ".csv":
            pyarrow.csv.write_csv(table, temporary)
        else:
            pyarrow.parquet.write_table(table, temporary)


def _read_table(path: Path) -> pa.Table:
    kind = path.suffix.lower()
    try:
        if kind in (".jsonl", ".ndjson"):
            return pyarrow.json.read_json(path)
        if kind == ".csv":
            names = pyarrow.csv.open_csv(path).schema.names
            as_text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
            return pyarrow.csv.read_csv(path, convert_options=as_text)
        return pyarrow.parquet.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise CatalogueError(
            f"the click log {path} cannot be read ({str(error).splitlines()[0]:.200})",
            ["name a Parquet, CSV or JSON lines file"],
        ) from error


def _text(value: object) -> str:
    """A cell as a CSV file would hold it."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value).strip()


def _empty(name: str, values: Sequence[str]) -> list[str]:
    rows = [row for row, value in enumerate(values, start=1) if not value]
    return [f"{len(rows):,} rows have no {name}: {_listed(rows)}"] if rows else []


def _no_truth(values: Sequence[str]) -> list[str]:
    rows = [row for row, value in enumerate(values, start=1) if value.lower() not in (*_YES, *_NO)]
    first = values[rows[0] - 1] if rows else ""
    return (
        [f"{len(rows):,} rows have another {CLICKED} than 0 or 1, such as {first!r}: {_listed(rows)}"] if rows else []
    )


def _listed(rows: Sequence[int]) -> str:
    more = ", …" if len(rows) > _SHOWN else ""
    return f"row {', '.join(map(str, rows[:_SHOWN]))}{more}"
