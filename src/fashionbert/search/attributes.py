"""Attributes of many products in memory: a number for each value, so that filters and counts take milliseconds.

Letters: R rows, U distinct values of an attribute.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MISSING = -1


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute.

    Attributes:
        name: as the catalogue calls it.
        values: its distinct values, without the empty one [U].
        codes: which value each row has, ``MISSING`` for none: int32 [R].
        numbers: the values as numbers, NaN where one is none: float64 [U].
    """

    name: str
    values: tuple[str, ...]
    codes: NDArray[np.int32]
    numbers: NDArray[np.float64]

    @property
    def is_numeric(self) -> bool:
        """Whether every value is a number."""
        return bool(len(self.values)) and not bool(np.isnan(self.numbers).any())

    def where(self, wanted_U: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Rows whose value is one of the wanted ones [R]; rows without a value are not."""
        return np.append(wanted_U, False)[self.codes]  # MISSING is the last place

    def counts(self, mask_R: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the rows of a mask by value [U]."""
        codes = self.codes[mask_R]
        return np.bincount(codes[codes != MISSING], minlength=len(self.values))


def read_columns(rows: Iterable[Mapping[str, str]]) -> dict[str, Column]:
    """Number the values of all attributes.

    Args:
        rows: attributes of each row; an absent and an empty one are the same.

    Returns:
        Columns by name, in the order in which the names came up.
    """
    values: dict[str, dict[str, int]] = {}
    codes: dict[str, list[int]] = {}
    count = 0
    for count, row in enumerate(rows, start=1):
        for name, value in row.items():
            known, column = values.setdefault(name, {}), codes.setdefault(name, [])
            column.extend([MISSING] * (count - 1 - len(column)))
            column.append(known.setdefault(value, len(known)) if value else MISSING)
    columns = {}
    for name, column in codes.items():
        column.extend([MISSING] * (count - len(column)))
        known = tuple(values[name])
        columns[name] = Column(name, known, np.asarray(column, np.int32), np.asarray([*map(as_number, known)], float))
    return columns


def as_number(value: str) -> float:
    """Read a number as catalogues write it (``49``, ``49.90``, ``1e3``); NaN where it is none or not finite."""
    try:
        number = float(value)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def to_json(attributes: Mapping[str, str]) -> str:
    """Write attributes as the table holds them; empty ones are left out."""
    return json.dumps({name: value for name, value in attributes.items() if value}, ensure_ascii=False)
