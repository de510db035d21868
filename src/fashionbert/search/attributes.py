"""Attributes of many products in memory: a number for each value, so that filters and counts take milliseconds.

Letters: R rows, U distinct values of an attribute.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import QueryError

MISSING = -1
_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True)  # without slots: what is looked up in is made when first asked for, and kept
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

    def equal_to(self, wanted: Iterable[str]) -> NDArray[np.bool_]:
        """Rows whose value equals one of others, as a number or without regard to case [R]."""
        wanted_U = np.zeros(len(self.values), np.bool_)
        for value in wanted:
            wanted_U[self._codes_of.get(_meaning(value), [])] = True
        return self.where(wanted_U)

    def containing(self, words: str) -> NDArray[np.bool_]:
        """Rows whose value has words in it, without regard to case [R]."""
        wanted = words.casefold()
        return self.where(np.fromiter((wanted in value for value in self._folded), np.bool_, len(self.values)))

    def where(self, wanted_U: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Rows whose value is one of the wanted ones [R]; rows without a value are not."""
        return np.append(wanted_U, False)[self.codes]  # MISSING is the last place

    def counts(self, mask_R: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the rows of a mask by value [U]."""
        codes = self.codes[mask_R]
        return np.bincount(codes[codes != MISSING], minlength=len(self.values))

    @cached_property
    def alike(self) -> NDArray[np.int64]:
        """The first value that equals each one, as a number or without regard to case [U]."""
        return np.asarray([self._codes_of[_meaning(value)][0] for value in self.values], np.int64)

    @cached_property
    def _codes_of(self) -> dict[str | Decimal, list[int]]:
        codes: dict[str | Decimal, list[int]] = {}
        for code, value in enumerate(self.values):
            codes.setdefault(_meaning(value), []).append(code)
        return codes

    @cached_property
    def _folded(self) -> tuple[str, ...]:
        return tuple(value.casefold() for value in self.values)


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


def joined_columns(
    former: Mapping[str, Column], new: Mapping[str, Column], rows: int, place_R: NDArray[np.int64]
) -> dict[str, Column]:
    """Number the values of some rows of two sets of columns, one behind the other.

    Args:
        former: columns of the first rows.
        new: columns of the rows behind them.
        rows: number of the first ones.
        place_R: which rows are wanted.

    Returns:
        Columns by name; a value that no wanted row has is gone, and an attribute that has lost all its values too.
    """
    added = max((len(column.codes) for column in new.values()), default=0)
    columns = {}
    for name in [*former, *(name for name in new if name not in former)]:
        first, second = former.get(name), new.get(name)
        values = {} if first is None else {value: code for code, value in enumerate(first.values)}
        known = () if second is None else second.values
        translated = np.asarray([values.setdefault(value, len(values)) for value in known], np.int32)
        codes = np.full(rows + added, MISSING, np.int32)
        if first is not None:
            codes[:rows] = first.codes
        if second is not None:
            codes[rows:] = np.append(translated, np.int32(MISSING))[second.codes]  # MISSING is the last place
        columns[name] = _column(name, tuple(values), codes[place_R])
    return {name: column for name, column in columns.items() if column.values or name in new or not former[name].values}


def _column(name: str, values: tuple[str, ...], codes_R: NDArray[np.int32]) -> Column:
    """A column without the values that no row has."""
    is_used_U = np.bincount(codes_R[codes_R != MISSING], minlength=len(values)) > 0
    kept = tuple(value for value, is_used in zip(values, is_used_U, strict=True) if is_used)
    codes_R = np.append(np.cumsum(is_used_U, dtype=np.int32) - 1, np.int32(MISSING))[codes_R]
    return Column(name, kept, codes_R, np.asarray([*map(as_number, kept)], float))


def find_column(columns: Mapping[str, Column], name: str) -> Column:
    """Find an attribute: the one of exactly this name, or else the only one of this name without regard to case.

    Args:
        columns: the attributes that there are.
        name: as it was written.

    Returns:
        The attribute.

    Raises:
        QueryError: there is none, or there are several of which none has exactly this name.
    """
    if name in columns:
        return columns[name]
    found = [known for known in columns if known.casefold() == name.casefold()]
    if len(found) == 1:
        return columns[found[0]]
    faults = [f"there is no attribute {name!r}", f"attributes: {', '.join(columns) or 'this index has none'}"]
    if found:
        faults = [f"the attribute {name!r} may be {' or '.join(map(repr, found))}: write it as one of them"]
    raise QueryError("the filter cannot be applied", faults)


def as_number(value: str) -> float:
    """Read a number as catalogues write it (``49``, ``-3``, ``49.90``, ``.5``, ``1e3``); NaN where it is none.

    Leading zeros make a code of it (``007``); other digits than 0 to 9, blanks, signs between digits and what exceeds
    the range of a float make words of it.
    """
    number = float(value) if _NUMBER.fullmatch(value) else math.nan
    return number if math.isfinite(number) else math.nan


def to_json(attributes: Mapping[str, str]) -> str:
    """Write attributes as the table holds them; empty ones are left out."""
    return json.dumps({name: value for name, value in attributes.items() if value}, ensure_ascii=False)


def _meaning(value: str) -> str | Decimal:
    """What two values that are equal have in common; exact, as a float would be the same for two long codes."""
    return value.casefold() if math.isnan(as_number(value)) else Decimal(value)
