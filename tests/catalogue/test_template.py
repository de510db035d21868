import pyarrow as pa
import pytest

from fashionbert.catalogue.template import fill_template, parse_template

NAMES = ["title", "colour", "description"]


def fill(template: str, **values: str) -> str:
    pieces, faults = parse_template(template, list(values))
    assert faults == []
    columns = {name: pa.chunked_array([[value]], pa.large_string()) for name, value in values.items()}
    return fill_template(pieces, columns).to_pylist()[0]


@pytest.mark.parametrize(
    ("title", "colour", "description", "text"),
    [
        ("Tights", "black", "Semi shiny.", "Tights in black. Semi shiny."),
        ("Tights", "", "Semi shiny.", "Tights. Semi shiny."),
        ("Tights", "black", "", "Tights in black"),
        ("Tights", "", "", "Tights"),
        ("", "", "Semi shiny.", "Semi shiny."),
        ("", "", "", ""),
        ("Tights!", "", "Semi shiny.", "Tights! Semi shiny."),
    ],
)
def test_empty_fields_take_the_words_before_them_along(title: str, colour: str, description: str, text: str) -> None:
    filled = fill("{title} in {colour}. {description}", title=title, colour=colour, description=description)
    assert filled == text


def test_words_after_the_last_field_stay_unless_nothing_is_before_them() -> None:
    assert fill("Colour: {colour}.", colour="red") == "Colour: red."
    assert fill("Colour: {colour}.", colour="") == ""


def test_doubled_braces_are_braces() -> None:
    assert fill("{{{title}}}", title="T") == "{T}"


def test_columns_with_blanks_are_fields() -> None:
    assert fill("{Product Name}", **{"Product Name": "Skirt"}) == "Skirt"


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{title.__class__}", "no column 'title.__class__'"),
        ("{title[0]}", "no column 'title[0]'"),
        ("{title!r}", "format or conversion"),
        ("{title:>10}", "format or conversion"),
        ("{}", "no column ''"),
        ("{color}", "did you mean 'colour'?; there are: title, colour, description"),
        ("plain words", "names no column"),
        ("{title", "write {column}"),
    ],
)
def test_anything_but_plain_columns_is_a_fault(template: str, fault: str) -> None:
    _, faults = parse_template(template, NAMES)
    assert len(faults) == 1
    assert fault in faults[0]


def test_all_faults_are_found_at_once() -> None:
    _, faults = parse_template("{one} {title!s} {two}", NAMES)
    assert len(faults) == 3
