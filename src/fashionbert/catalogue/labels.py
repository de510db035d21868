"""Class labels of Hugging Face data sets: numbers in the table, names in its metadata."""

import json
from typing import Any

import pyarrow as pa

from fashionbert.catalogue.arrow import pc


def spell_labels(table: pa.Table) -> pa.Table:
    """Replace the numbers of ``ClassLabel`` columns by their names; -1, which stands for unknown, becomes null."""
    for column, names in _label_names(table.schema).items():
        index = table.column_names.index(column)
        codes = table.column(column)
        known = pc.and_(pc.greater_equal(codes, 0), pc.less(codes, len(names)))
        codes = pc.if_else(known, codes, pa.scalar(None, codes.type))
        table = table.set_column(index, column, pa.chunked_array([pa.array(names, pa.string())]).take(codes))
    return table


def _label_names(schema: pa.Schema) -> dict[str, list[str]]:
    try:
        features: dict[str, Any] = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return {
        column: feature["names"]
        for column, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and column in schema.names
    }
