"""Attributes in memory."""

import math

import numpy as np
import pytest

from fashionbert.search.attributes import as_number, read_columns, to_json


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


@pytest.mark.parametrize(("text", "number"), [("49", 49.0), ("49.90", 49.9), ("1e3", 1000.0), (" 5 ", 5.0), ("-2", -2)])
def test_numbers(text: str, number: float) -> None:
    assert as_number(text) == number


@pytest.mark.parametrize("text", ["", "red", "nan", "inf", "-inf", "4 EUR", "1,5"])
def test_what_is_no_number(text: str) -> None:
    assert math.isnan(as_number(text))


def test_empty_attributes_are_not_written() -> None:
    assert to_json({"colour": "größe", "price": ""}) == '{"colour": "größe"}'
