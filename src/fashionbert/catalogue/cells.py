"""Arrow columns of any kind -> columns of trimmed text without nulls, stored compactly."""

import pyarrow as pa

from fashionbert.catalogue.arrow import pc


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return a column as large strings, trimmed, nulls empty; None where its kind has no plain text.

    Whole numbers held as floats, as pandas holds ids once one of them is missing, lose their ``.0``. Lists of texts
    are joined with commas.
    """
    kind = column.type
    types = pa.types
    if types.is_dictionary(kind):
        return as_text(column.cast(kind.value_type))
    if (types.is_list(kind) or types.is_large_list(kind)) and _is_string(kind.value_type):
        column = join_lists(column, ", ")
    elif types.is_floating(kind):
        column = _whole_numbers(column)
    elif not (_is_string(kind) or types.is_primitive(kind) or types.is_decimal(kind) or types.is_null(kind)):
        return None
    return pc.utf8_trim_whitespace(column.cast(pa.large_string()).fill_null(""))


def join_lists(column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """Join lists of texts to texts; a null list or text is an empty one."""
    lists = column.cast(pa.list_(pa.large_string())).combine_chunks()
    lists = pa.ListArray.from_arrays(lists.offsets, lists.values.fill_null(""))
    return pa.chunked_array([pc.binary_join(lists, pa.scalar(separator, pa.large_string()))])


def has_text(kind: pa.DataType) -> bool:
    """Say whether :func:`as_text` can read a column of this kind, without reading it."""
    return as_text(pa.chunked_array([], kind)) is not None


def compact(table: pa.Table) -> pa.Table:
    """Store the columns whose values repeat as codes into a dictionary, the others in one piece."""
    columns = {}
    for name in table.column_names:
        whole = table.column(name).combine_chunks()
        codes = whole.dictionary_encode()
        columns[name] = codes if len(codes.dictionary) * 2 < len(whole) else whole
    return pa.table(columns)


def _is_string(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _whole_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column
