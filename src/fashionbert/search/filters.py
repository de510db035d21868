"""Filters: conditions on attributes, in a small language of their own.

::

    condition  =  alternative { "or" alternative }
    alternative = part { "and" part }
    part       =  "not" part  |  "(" condition ")"  |  comparison
    comparison =  name ("=" | "!=" | "<" | "<=" | ">" | ">=" | "contains") value
               |  name ["not"] "in" "(" value { "," value } ")"

Names and values are bare words, or quoted with ' or " where they hold spaces or signs; a quotation mark within is
doubled. A name is that of an attribute, letter by letter or, if only one fits, without regard to case.

Numbers are written 49, -3, 49.90, .5 or 1e3, and compare as numbers: 49.9 = 49.90. All else is words, which compare
without regard to case, codes with leading zeros among them: 007 is not 7. ``<`` and its like compare numbers, and a
value that is no number satisfies none of them. A product without a value satisfies ``!=`` and ``not in`` alone.

A filter is parsed and run here and never reaches a database, so no filter can be an injection.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import QueryError
from fashionbert.search.attributes import Column, as_number, find_column

LONGEST_FILTER = 2000
DEEPEST = 20
_TOKEN = re.compile(
    r"""\s*(?:(?P<sign><=|>=|!=|==|[=<>(),])|(?P<quoted>"(?:[^"]|"")*"|'(?:[^']|'')*')|(?P<word>[^\s=<>!(),"']+))"""
)
_ORDERS: Mapping[str, Callable[[Any, float], NDArray[np.bool_]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_GRAMMAR = 'write it like: price < 50 and colour in (red, "dark blue") and not sleeve = long'
Columns: TypeAlias = Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One attribute against one or several values."""

    name: str
    sign: str
    values: tuple[str, ...]

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """Rows that satisfy it [R]."""
        column = columns[self.name]
        if self.sign in _ORDERS:
            with np.errstate(invalid="ignore"):
                return column.where(_ORDERS[self.sign](column.numbers, as_number(self.values[0])))
        if self.sign == "contains":
            return column.containing(self.values[0])
        return column.equal_to(self.values)


@dataclass(frozen=True, slots=True)
class Not:
    """The rows that do not satisfy a condition."""

    part: "Condition"

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """Rows that satisfy it [R]."""
        return ~self.part.mask(columns)


@dataclass(frozen=True, slots=True)
class Joined:
    """Several conditions, all of which or one of which must hold."""

    parts: tuple["Condition", ...]
    every: bool

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """Rows that satisfy it [R]."""
        masks = [part.mask(columns) for part in self.parts]
        return np.logical_and.reduce(masks) if self.every else np.logical_or.reduce(masks)


Condition: TypeAlias = Comparison | Not | Joined


def parse_filter(text: str, columns: Columns) -> Condition:
    """Read a filter.

    Args:
        text: the filter.
        columns: the attributes that there are.

    Returns:
        The condition; its ``mask`` gives the rows that satisfy it.

    Raises:
        QueryError: a syntax error with its place, an unknown or ambiguous attribute, or an order asked of words.
    """
    if len(text) > LONGEST_FILTER:
        raise QueryError(f"the filter has {len(text):,} characters, more than {LONGEST_FILTER:,}: shorten it")
    return _Parser(text, columns).parse()


def ticked_masks(ticked: Mapping[str, Sequence[str]], columns: Columns) -> dict[str, NDArray[np.bool_]]:
    """Find the rows that have one of the ticked values, as ``in`` would.

    Args:
        ticked: values by attribute; attributes without any are left out.
        columns: the attributes that there are.

    Returns:
        Rows by the attribute's own name [R].

    Raises:
        QueryError: an unknown or ambiguous attribute.
    """
    masks: dict[str, NDArray[np.bool_]] = {}
    for name, values in ticked.items():
        column = find_column(columns, name)
        if values:  # two spellings of one name: both must hold
            masks[column.name] = column.equal_to(values) & masks.get(column.name, True)
    return masks


class _Parser:
    """Recursive descent over the tokens; each method reads what its rule in the grammar says."""

    def __init__(self, text: str, columns: Columns) -> None:
        self._text = text
        self._columns = columns
        self._tokens = list(self._split())
        self._place = 0
        self._depth = 0

    def parse(self) -> Condition:
        condition = self._condition()
        if self._place < len(self._tokens):
            raise self._fault("'and', 'or' or the end")
        return condition

    def _split(self) -> list[tuple[str, str, int]]:
        tokens, place = [], 0
        while self._text[place:].strip():
            found = _TOKEN.match(self._text, place)
            if found is None:
                raise QueryError(
                    "the filter cannot be read",
                    [f"at {self._text[place:].strip()[:40]!r}: a sign without meaning", _GRAMMAR],
                )
            kind = found.lastgroup or ""
            value = found[kind]
            tokens.append((kind, _unquoted(value) if kind == "quoted" else value, found.start(kind)))
            place = found.end()
        return tokens

    def _condition(self) -> Condition:
        return self._joined("or", lambda: self._joined("and", self._part, every=True), every=False)

    def _joined(self, word: str, read: Callable[[], Condition], *, every: bool) -> Condition:
        parts = [read()]
        while self._take_word(word):
            parts.append(read())
        return parts[0] if len(parts) == 1 else Joined(tuple(parts), every)

    def _part(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            raise QueryError(f"the filter is nested more than {DEEPEST} deep: write it flatter")
        try:
            if self._take_word("not"):
                return Not(self._part())
            if self._take_sign("("):
                inside = self._condition()
                self._need_sign(")")
                return inside
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Condition:
        name = self._name()
        negated = self._take_word("not")
        if self._take_word("in"):
            self._need_sign("(")
            values = [self._value()]
            while self._take_sign(","):
                values.append(self._value())
            self._need_sign(")")
            return _negated(Comparison(name, "=", tuple(values)), negated)
        if negated:
            raise self._fault("'in'")
        if self._take_word("contains"):
            return Comparison(name, "contains", (self._value(),))
        sign = self._sign()
        value = self._value()
        if sign in _ORDERS:
            self._refuse_order(name, sign, value)
            return Comparison(name, sign, (value,))
        return _negated(Comparison(name, "=", (value,)), sign == "!=")

    def _refuse_order(self, name: str, sign: str, value: str) -> None:
        faults = []
        if np.isnan(as_number(value)):
            faults.append(f"{name} {sign} {value}: {value!r} is no number; write it like 49, -3, 49.90 or 1e3")
        if np.isnan(self._columns[name].numbers).all():
            faults.append(f"{name} {sign} {value}: {name!r} has no values that are numbers; use = or in")
        if faults:
            raise QueryError("the filter cannot be applied", faults)

    def _name(self) -> str:
        kind, word, _ = self._peek()
        if kind not in ("word", "quoted"):
            raise self._fault("the name of an attribute")
        self._place += 1
        return find_column(self._columns, word).name

    def _value(self) -> str:
        kind, word, _ = self._peek()
        if kind not in ("word", "quoted"):
            raise self._fault("a value")
        self._place += 1
        return word

    def _sign(self) -> str:
        kind, sign, _ = self._peek()
        if kind != "sign" or sign in "(),":
            raise self._fault("one of = != < <= > >= in contains")
        self._place += 1
        return "=" if sign == "==" else sign

    def _take_word(self, word: str) -> bool:
        kind, found, _ = self._peek()
        taken = kind == "word" and found.lower() == word
        self._place += taken
        return taken

    def _take_sign(self, sign: str) -> bool:
        taken = self._peek()[:2] == ("sign", sign)
        self._place += taken
        return taken

    def _need_sign(self, sign: str) -> None:
        if not self._take_sign(sign):
            raise self._fault(repr(sign))

    def _peek(self) -> tuple[str, str, int]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "", len(self._text))

    def _fault(self, expected: str) -> QueryError:
        _, found, place = self._peek()
        where = f"at character {place + 1}, {found!r}" if found else "at its end"
        return QueryError("the filter cannot be read", [f"{where}: {expected} was expected", _GRAMMAR])


def _negated(condition: Condition, negate: bool) -> Condition:
    return Not(condition) if negate else condition


def _unquoted(word: str) -> str:
    sign = word[0]
    return word[1:-1].replace(sign * 2, sign)
