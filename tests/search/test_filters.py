"""The filter language, against Python's own conditions on each row."""

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert.errors import QueryError
from fashionbert.search.attributes import read_columns
from fashionbert.search.filters import parse_filter, ticked_masks

Row: TypeAlias = Mapping[str, str]
ROWS: list[Row] = [
    {"colour": "red", "price": "49.90", "Sleeve Length": "long"},
    {"colour": "dark blue", "price": "19"},
    {"colour": 'the "in" colour', "price": "1e2", "Sleeve Length": "short"},
    {"colour": "RED", "price": "50.0"},
    {"price": ""},
]
COLUMNS = read_columns(ROWS)


def rows_of(text: str) -> list[int]:
    return parse_filter(text, COLUMNS).mask(COLUMNS).nonzero()[0].tolist()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("colour = red", [0, 3]),
        ("COLOUR == Red", [0, 3]),
        ("colour != red", [1, 2, 4]),
        ("price < 50", [0, 1]),
        ("price <= 50", [0, 1, 3]),
        ("price > 49.9", [2, 3]),
        ("price >= 49.9", [0, 2, 3]),
        ("price = 50", [3]),
        ("price = 100", [2]),
        ("colour in (red, 'dark blue')", [0, 1, 3]),
        ("colour not in (red, 'dark blue')", [2, 4]),
        ("colour contains blue", [1]),
        ('colour = "the ""in"" colour"', [2]),
        ('"sleeve length" = long or price < 20', [0, 1]),
        ("price < 20 or colour = red and price < 50", [0, 1]),
        ("(price < 20 or colour = red) and price < 50", [0, 1]),
        ("(price < 20 or colour = red) and not price < 20", [0, 3]),
        ("not (colour = red or colour contains blue)", [2, 4]),
        ("not not colour = red", [0, 3]),
        ("price<50 and'sleeve length'=long", [0]),
    ],
)
def test_what_a_filter_means(text: str, rows: list[int]) -> None:
    assert rows_of(text) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size = 4", "there is no attribute 'size'\n  - attributes: colour, price, Sleeve Length"),
        ("colour", "at its end: one of = != < <= > >= in contains was expected"),
        ("colour = ", "at its end: a value was expected"),
        ("colour = red and", "at its end: the name of an attribute was expected"),
        ("colour = red price < 3", "at character 14, 'price': 'and', 'or' or the end was expected"),
        ("(colour = red", r"at its end: '\)' was expected"),
        ("colour in red", r"at character 11, 'red': '\(' was expected"),
        ("colour in (red,)", r"at character 16, '\)': a value was expected"),
        ("colour not red", "at character 12, 'red': 'in' was expected"),
        ("colour ! red", "a sign without meaning"),
        ("colour = 'red", "a sign without meaning"),
        ("colour < 5", "'colour' has no values that are numbers"),
        ("price < cheap", "'cheap' is no number"),
        ("price < nan", "'nan' is no number; write it like 49, -3, 49.90 or 1e3"),
        ("price < 050", "'050' is no number"),
        ("price < 1_000", "'1_000' is no number"),
        ("price = 4; DROP TABLE views", "'and', 'or' or the end was expected"),
        ("1 = 1 or colour = red", "there is no attribute '1'"),
        ("colour = red -- and so on", "'and', 'or' or the end was expected"),
        ("(" * 21 + "colour = red" + ")" * 21, "nested more than 20 deep"),
        ("colour = " + "a" * 2000, "2,009 characters, more than 2,000"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        parse_filter(text, COLUMNS)


def test_an_index_without_attributes_says_so() -> None:
    with pytest.raises(QueryError, match="this index has none"):
        parse_filter("colour = red", {})


def test_names_that_differ_in_case_alone() -> None:
    columns = read_columns([{"Colour": "red", "colour": "blue"}, {"Colour": "blue", "colour": "red"}])
    for text, rows in (("Colour = red", [True, False]), ("colour = red", [False, True])):
        assert parse_filter(text, columns).mask(columns).tolist() == rows
    with pytest.raises(QueryError, match="'COLOUR' may be 'Colour' or 'colour'"):
        parse_filter("COLOUR = red", columns)


Test: TypeAlias = Callable[[Row], bool]
NAMES = ["colour", "price", "size and fit"]
VALUES = st.sampled_from(
    ["red", "Red", "dark blue", 'a "b"', "it's", "10", "10.0", "-3.5", "or", "not", "(x)", "010", "1_0", "１０"]
)
NUMBERS = {"10": 10.0, "10.0": 10.0, "-3.5": -3.5}


def quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def number(value: str | None) -> float:
    return NUMBERS.get(value or "", math.nan)


def same(value: str | None, wanted: str) -> bool:
    return value is not None and (value.casefold() == wanted.casefold() or number(value) == number(wanted))


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[str, Test]:
    name, kind = draw(st.sampled_from(NAMES)), draw(st.sampled_from(["=", "!=", "<", ">=", "in", "not in", "contains"]))
    if kind in ("<", ">="):
        bound = draw(st.integers(-5, 12))
        return (
            f"price {kind} {bound}",
            lambda row: number(row.get("price")) < bound if kind == "<" else number(row.get("price")) >= bound,
        )
    if kind in ("in", "not in"):
        wanted = draw(st.lists(VALUES, min_size=1, max_size=3))
        text = f"{quoted(name)} {kind} ({', '.join(map(quoted, wanted))})"
        return text, lambda row: any(same(row.get(name), each) for each in wanted) != (kind == "not in")
    value = draw(VALUES)
    if kind == "contains":
        return f"{quoted(name)} contains {quoted(value)}", lambda row: value.casefold() in row.get(name, "").casefold()
    return f"{quoted(name)} {kind} {quoted(value)}", lambda row: same(row.get(name), value) != (kind == "!=")


def joined(parts: st.SearchStrategy[tuple[str, Test]]) -> st.SearchStrategy[tuple[str, Test]]:
    pairs = st.tuples(parts, parts)
    return st.one_of(
        parts.map(lambda part: (f"not ({part[0]})", lambda row: not part[1](row))),
        pairs.map(lambda two: (f"({two[0][0]}) and ({two[1][0]})", lambda row: two[0][1](row) and two[1][1](row))),
        pairs.map(lambda two: (f"({two[0][0]}) or ({two[1][0]})", lambda row: two[0][1](row) or two[1][1](row))),
    )


@given(
    condition=st.recursive(comparisons(), joined, max_leaves=6),
    rows=st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3), max_size=8),
)
def test_a_filter_is_what_python_says(condition: tuple[str, Test], rows: list[dict[str, str]]) -> None:
    text, wanted = condition
    rows = [{"price": "10", "colour": "red", "size and fit": "or"}, *rows]  # so that every attribute is there
    columns = read_columns(rows)
    assert parse_filter(text, columns).mask(columns).tolist() == [wanted(row) for row in rows]


@given(
    st.dictionaries(st.sampled_from(NAMES), st.lists(VALUES, max_size=3), max_size=3),
    st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES)), min_size=1, max_size=6),
)
def test_what_is_ticked_is_one_of_the_values(ticked: dict[str, list[str]], rows: list[dict[str, str]]) -> None:
    masks = ticked_masks(ticked, read_columns(rows))
    assert {name: mask.tolist() for name, mask in masks.items()} == {
        name: [any(same(row[name], value) for value in values) for row in rows]
        for name, values in ticked.items()
        if values
    }


def test_ticks_of_one_attribute_in_two_spellings_must_both_hold() -> None:
    masks = ticked_masks({"COLOUR": ["red", "dark blue"], "Colour": ["red"]}, COLUMNS)
    assert {name: mask.tolist() for name, mask in masks.items()} == {"colour": [True, False, False, True, False]}


def test_ticks_of_an_attribute_that_is_not_there() -> None:
    for values in (["4"], []):
        with pytest.raises(QueryError, match="there is no attribute 'size'"):
            ticked_masks({"size": values}, COLUMNS)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        mask = parse_filter(text, COLUMNS).mask(COLUMNS)
    except QueryError:  # the one error that a filter may raise
        return
    assert len(mask) == len(ROWS)
