"""Catalogues: rows of words and pictures, read from what shops and researchers have, as products.

:func:`open_catalogue` looks at a path and chooses the reader: Parquet (pictures inside, or paths), CSV or JSONL beside
a folder of images, Fashion-Gen HDF5, or a data set of the Hugging Face hub. Metadata are Arrow columns; pictures are
read one at a time when they are asked for. Rows that cannot be used are set aside and listed in ``Catalogue.faults``.
Whole groups (variants of one product) are held out when a catalogue has no splits of its own.

The way of a row::

    reader (parquet, tabular, fashiongen, hub) -> rows.RawRows
        -> columns, template   which column is which field, texts from several columns
        -> judge, pictures     what is set aside, and why
        -> split               a validation split where there is none
        -> table.Catalogue     -> check.check_catalogue: what is wrong with it

Nothing here imports torch.
"""

from fashionbert.catalogue.check import Finding, PictureFacts, check_catalogue
from fashionbert.catalogue.held import HeldPicture, hold_products
from fashionbert.catalogue.open import open_catalogue
from fashionbert.catalogue.table import Catalogue, RowFault

__all__ = [
    "Catalogue",
    "Finding",
    "HeldPicture",
    "PictureFacts",
    "RowFault",
    "check_catalogue",
    "hold_products",
    "open_catalogue",
]
