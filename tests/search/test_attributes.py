"""Attributes in memory."""

import math

import numpy as np
import pytest

from fashionbert.errors import QueryError
from fashionbert.search import attributes
from fashionbert.search.attributes import Column, as_number, find_column, joined_columns, read_columns, to_json


def test_values_are_numbered_as_they_come() -> None:
    columns = read_columns([{"a": "x"}, {"a": "", "b": "1"}, {}, {"a": "y", "b": "2"}, {"a": "x"}])
    assert list(columns) == ["a", "b"]
    assert columns["a"].values == ("x", "y")
    assert columns["a"].codes.tolist() == [0, -1, -1, 1, 0]
    assert columns["b"].codes.tolist() == [-1, 0, -1, 1, -1]
    assert columns["b"].numbers.tolist() == [1.0, 2.0]
    assert columns["b"].is_numeric
    assert not columns["a"].is_numeric
    assert columns["a"].counts(np.array([True, True, True, True, False])).tolist() == [1, 1]


def test_rows_without_a_value_satisfy_nothing() -> None:
    [column] = read_columns([{"a": "x"}, {}, {"a": "y"}]).values()
    assert column.where(np.array([True, True])).tolist() == [True, False, True]
    assert column.where(np.array([False, True])).tolist() == [False, False, True]


def test_an_attribute_without_values() -> None:
    [column] = read_columns([{"a": ""}, {"a": ""}]).values()
    assert not column.is_numeric
    assert column.where(np.zeros(0, np.bool_)).tolist() == [False, False]


@pytest.mark.parametrize(
    ("text", "number"),
    [("49", 49), ("49.90", 49.9), ("1e3", 1000), ("2.5E-1", 0.25), ("-2", -2), (".5", 0.5), ("-0.5", -0.5), ("0", 0)],
)
def test_numbers(text: str, number: float) -> None:
    assert as_number(text) == number


WORDS = ["", "red", "nan", "inf", "-inf", "Infinity", "4 EUR", "1,5", "007", "-01", "00.5", "1_000", " 7 ", "7\n"]
MORE_WORDS = ["٧", "７", "1e999", "1e", ".", "-", "5.", "+5", "0x10"]


@pytest.mark.parametrize("text", [*WORDS, *MORE_WORDS])
def test_what_is_no_number(text: str) -> None:
    assert math.isnan(as_number(text))


def codes(column: Column, *wanted: str) -> list[int]:
    return column.equal_to(wanted).nonzero()[0].tolist()


def test_numbers_equal_numbers_and_words_words() -> None:
    values = ["7", "007", "7.0", "Red", "RED", "1e3", "1000", "12345678901234567890", "12345678901234567891", "STRASSE"]
    [column] = read_columns([{"a": value} for value in values] + [{}]).values()
    assert codes(column, "7.00") == [0, 2]
    assert codes(column, "007") == [1]
    assert codes(column, "red", "0007", "1E3") == [3, 4, 5, 6]
    assert codes(column, "12345678901234567890") == [7]  # as floats both would be the same
    assert codes(column, "straße") == [9]
    assert codes(column, "") == codes(column) == []


def test_words_within_words() -> None:
    [column] = read_columns([{"a": "Dark Blue"}, {}, {"a": "blueish"}, {"a": "red"}]).values()
    assert column.containing("BLUE").tolist() == [True, False, True, False]


def test_looking_up_looks_at_no_other_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the table is made, an `in` of many values costs these values alone."""
    [column] = read_columns([{"a": f"code {number}"} for number in range(1000)]).values()
    assert codes(column, "CODE 7") == [7]
    read: list[str] = []
    monkeypatch.setattr(attributes, "as_number", lambda value: read.append(value) or math.nan)
    wanted = [f"code {number}" for number in range(0, 1000, 10)]
    assert codes(column, *wanted) == [*range(0, 1000, 10)]
    assert read == wanted


def test_a_name_fits_letter_by_letter_or_as_the_only_one() -> None:
    columns = read_columns([{"Colour": "red", "colour": "blue", "Size": "4"}])
    assert find_column(columns, "Colour").values == ("red",)
    assert find_column(columns, "colour").values == ("blue",)
    assert find_column(columns, "SIZE").name == "Size"
    with pytest.raises(QueryError, match="the attribute 'COLOUR' may be 'Colour' or 'colour': write it as one of them"):
        find_column(columns, "COLOUR")
    with pytest.raises(QueryError, match="there is no attribute 'price'\n  - attributes: Colour, colour, Size"):
        find_column(columns, "price")


def test_empty_attributes_are_not_written() -> None:
    assert to_json({"colour": "größe", "price": ""}) == '{"colour": "größe"}'


def test_columns_are_joined_by_the_places_of_their_rows() -> None:
    """Rows 0 to 2 are the former ones and 3, 4 the new; row 1 goes, and with it the only b and the only 7."""
    former = read_columns([{"a": "x", "n": "5"}, {"a": "b", "gone": "7"}, {"a": "x"}])
    new = read_columns([{"a": "y"}, {"a": "x", "more": "1"}])
    joined = joined_columns(former, new, 3, np.array([3, 0, 2, 4]))
    assert list(joined) == ["a", "n", "more"]
    assert joined["a"].values == ("x", "y")
    assert joined["a"].codes.tolist() == [1, 0, 0, 0]
    assert joined["n"].codes.tolist() == [-1, 0, -1, -1]
    assert joined["n"].numbers.tolist() == [5.0]
    assert joined["more"].codes.tolist() == [-1, -1, -1, 0]
    alone = joined_columns(former, {}, 3, np.array([0, 2]))
    assert {name: column.codes.tolist() for name, column in alone.items()} == {"a": [0, 0], "n": [0, -1]}
