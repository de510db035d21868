"""Data sets of the Hugging Face hub by name, or local folders that the package ``datasets`` can load."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fashionbert.catalogue.arrow import pc
from fashionbert.catalogue.columns import resolve_columns
from fashionbert.catalogue.labels import spell_labels
from fashionbert.catalogue.pictures import EmbeddedPicture, read_image_value
from fashionbert.catalogue.rows import RawRows, build_catalogue
from fashionbert.catalogue.table import Catalogue
from fashionbert.config import CatalogueSettings
from fashionbert.errors import CatalogueError, MissingExtraError, PictureError


def read_hub(name: str, settings: CatalogueSettings) -> Catalogue:
    """Load a data set with ``datasets`` (which fetches and caches it) and read it as a catalogue.

    Args:
        name: ``owner/name`` on the hub, or a folder.
        settings: columns, text template, split.

    Returns:
        The catalogue, its splits complete.

    Raises:
        CatalogueError: it cannot be loaded, its columns are wrong, or no row is usable.
        MissingExtraError: datasets is not installed.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("datasets", "hub", "Reading a data set by name") from error
    try:
        parts: dict[str, Any] = {str(split): part for split, part in datasets.load_dataset(name).items()}
    except Exception as error:  # datasets, its readers and the network raise errors of every kind
        raise CatalogueError(
            f"cannot load data set {name!r}", [f"{type(error).__name__}: {error}", "check the name and the network"]
        ) from error
    if not parts:
        raise CatalogueError(f"data set {name!r} has no splits", ["name another data set"])
    first = next(iter(parts.values()))
    image = _image_column(first, settings, name)
    counts = [len(part) for part in parts.values()]
    tables = [spell_labels(part.data.table.drop_columns([image])) for part in parts.values()]
    numbers = np.arange(sum(counts))
    rows = RawRows(
        table=pa.concat_tables([table.replace_schema_metadata() for table in tables], promote_options="permissive"),
        files=list(parts),
        file_splits=list(parts),
        file_codes=np.repeat(np.arange(len(parts)), counts),
        row_numbers=np.concatenate([np.arange(1, count + 1) for count in counts]),
        source=HubPictures([part.cast_column(image, datasets.Image(decode=False)) for part in parts.values()], image),
        image_column=image,
        references=pa.ListArray.from_arrays(pa.array(np.arange(len(numbers) + 1), pa.int32()), pa.array(numbers)),
    )
    return build_catalogue(rows, settings, name)


def _image_column(data: Any, settings: CatalogueSettings, name: str) -> str:
    """Return the mapped image column, else the one of the usual name, else the only one of kind ``Image``."""
    import datasets

    images = [column for column, feature in data.features.items() if isinstance(feature, datasets.Image)]
    found, faults = resolve_columns(data.column_names, settings.columns, text_from_template=settings.text is not None)
    image = found.fields.get("image", images[0] if len(images) == 1 else "")
    if image in images:
        return image
    faults.append(f"columns of pictures: {', '.join(images) or 'none'}; name one with columns image=...")
    raise CatalogueError(f"cannot read catalogue {name!r}", faults)


class HubPictures:
    """The pictures of the splits of a data set; a reference is a row, counted over all splits."""

    def __init__(self, parts: Sequence[Any], column: str) -> None:
        self._parts = [part.select_columns([column]) for part in parts]
        self._column = column
        self._starts = np.cumsum([0, *map(len, parts)])

    @cached_property
    def _sizes(self) -> list[NDArray[np.int64]]:
        columns = [pc.struct_field(part.data.table.column(self._column), "bytes") for part in self._parts]
        return [pc.binary_length(column).fill_null(0).to_numpy() for column in columns]

    def open(self, reference: int) -> EmbeddedPicture:
        """Return the picture of this row."""
        return EmbeddedPicture(self, reference)

    def name_of(self, reference: int) -> str:
        """Return split and row."""
        code, row = self._place(reference)
        return f"{self._parts[code].split} row {row + 1}"

    def identity(self, reference: int) -> str:
        """Return the row and the size of its picture, so that an exchanged one shows."""
        code, row = self._place(reference)
        return f"{row}:{self._sizes[code][row]}"

    def read(self, reference: int) -> bytes:
        """Read a picture.

        Args:
            reference: which picture.

        Returns:
            Encoded bytes.

        Raises:
            PictureError: it is missing or unreadable.
        """
        code, row = self._place(reference)
        name = self.name_of(reference)
        try:
            value = self._parts[code][row][self._column]
        except (OSError, pa.ArrowException) as error:
            raise PictureError("unreadable", f"{name}: cannot be read ({error})") from error
        return read_image_value(value, name, Path("/"))

    def _place(self, reference: int) -> tuple[int, int]:
        code = int(np.searchsorted(self._starts, reference, side="right")) - 1
        return code, reference - int(self._starts[code])
