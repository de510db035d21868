"""Texts built from several columns: ``"{title} in {colour}. {description}"``.

An empty field takes the words between it and the field before with it, so that a product without a colour reads
"Tights. Semi shiny ..." rather than "Tights in . Semi shiny ...". Fields are names of columns and nothing else: no
attribute, index, conversion or format is evaluated.
"""

import string
from collections.abc import Mapping, Sequence

import pyarrow as pa

from fashionbert.catalogue.arrow import pc
from fashionbert.catalogue.columns import hint

_LOOSE_ENDS = " \t\n.,;:-–—"


def parse_template(template: str, names: Sequence[str]) -> tuple[list[tuple[str, str | None]], list[str]]:
    """Cut a template into (words before, field) pieces; the last piece may have words alone.

    Args:
        template: text with ``{column}`` fields; ``{{`` and ``}}`` are braces.
        names: the columns of the table.

    Returns:
        The pieces, and every fault: bad braces, an unknown field, anything beyond a plain name, no field at all.
    """
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        return [], [f"text template {template!r}: {error}; write {{column}}, and {{{{ for a brace"]
    faults: list[str] = []
    pieces: list[tuple[str, str | None]] = []
    words = ""
    for literal, field, specification, conversion in parsed:
        words += literal
        if field is None:
            continue
        if specification or conversion:
            faults.append(f"text template: {{{field}}} has a format or conversion; write {{{field}}} alone")
        elif field not in names:
            faults.append(f"text template: there is no column {field!r}{hint(field, names)}")
        pieces.append((words, field))
        words = ""
    if not pieces:
        faults.append(f"text template {template!r} names no column; write for example '{{title}}. {{description}}'")
    return ([*pieces, (words, None)] if words else pieces), faults


def fill_template(pieces: Sequence[tuple[str, str | None]], columns: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """Fill the pieces of :func:`parse_template` for all rows at once.

    Args:
        pieces: words and fields.
        columns: for each field the texts of all rows, trimmed and without nulls.

    Returns:
        The texts; empty where all fields are.
    """
    text: pa.ChunkedArray = pc.if_else(False, next(iter(columns.values())), _EMPTY)
    for words, field in pieces:
        value = columns[field] if field is not None else _EMPTY
        joint = pc.if_else(pc.equal(text, _EMPTY), _large(words.lstrip(_LOOSE_ENDS)), _large(words))
        if words.startswith("."):
            joint = pc.if_else(pc.match_substring_regex(text, r"[.!?]\s*$"), _large(words[1:]), joint)
        longer = pc.binary_join_element_wise(text, joint, value, _EMPTY)
        keep = pc.equal(value if field is not None else text, _EMPTY)
        text = pc.if_else(keep, text, longer)
    return pc.utf8_trim_whitespace(text)


def _large(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


_EMPTY = _large("")
