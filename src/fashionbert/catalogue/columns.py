"""Which column of a table is which field: an explicit mapping first, then a short list of usual names.

Without a mapping a field is read from the column of its own name, else from the first of :data:`ALIASES` that the
table has. Names are compared without regard to case, blanks and hyphens (``Product ID`` is ``product_id``).
"""

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALIASES: dict[str, tuple[str, ...]] = {
    "product_id": ("id", "sku", "article_id", "item_id"),
    "image": ("picture", "photo", "image_path", "file_name", "filename"),
    "text": ("caption", "description", "title"),
    "group_id": ("group",),
    "category": (),
    "subcategory": ("sub_category",),
    "split": (),
}
"""Our fields and the other names under which they are found without a mapping."""

REQUIRED = ("product_id", "image", "text")


@dataclass(frozen=True, slots=True)
class Columns:
    """The column of each field that the table has, and the columns that stay attributes."""

    fields: Mapping[str, str]
    attributes: tuple[str, ...]


def resolve_columns(
    names: Sequence[str], mapping: Mapping[str, str], *, text_from_template: bool = False
) -> tuple[Columns, list[str]]:
    """Find the column of every field.

    Args:
        names: the columns of the table.
        mapping: our field -> their column, as in ``CatalogueSettings.columns``.
        text_from_template: the text comes from a template, so that no text column is looked for.

    Returns:
        The columns found, and every fault: a mapping of an unknown field or to an unknown column, a required field
        without a column.
    """
    faults: list[str] = []
    fields: dict[str, str] = {}
    for field, column in mapping.items():
        if field not in ALIASES:
            faults.append(f"columns.{field} = {column!r}: there is no field {field!r}{hint(field, list(ALIASES))}")
        elif column not in names:
            faults.append(f"columns.{field} = {column!r}: there is no such column{hint(column, names)}")
        else:
            fields[field] = column
    plain = {_plain(name): name for name in reversed(names)}
    taken = set(fields.values())
    for field, aliases in ALIASES.items():
        if field in mapping or (field == "text" and text_from_template):
            continue
        found = [plain[name] for name in (field, *aliases) if name in plain and plain[name] not in taken]
        if found:
            fields[field] = found[0]
            taken.add(found[0])
        elif field in REQUIRED:
            faults.append(
                f"no column for {field}: none of {', '.join((field, *aliases))} is there; "
                f"name it with columns {field}=... out of: {', '.join(names)}"
            )
    return Columns(fields, tuple(name for name in names if name not in taken)), faults


def repeated(names: Sequence[str]) -> list[str]:
    """Return a fault for each name that several columns have."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    return [f"column {name!r} is there twice: rename one" for name in twice]


def hint(name: str, known: Sequence[str]) -> str:
    """Return near misses of a name, or all names there are, as the end of a sentence."""
    near = difflib.get_close_matches(name.lower(), [other.lower() for other in known], n=3)
    meant = [other for other in known if other.lower() in near]
    listed = f"; there are: {', '.join(known)}"
    return f"; did you mean {' or '.join(map(repr, meant))}?{listed}" if meant else listed


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())
