"""One part of a feature store: its features, streamed to a file, and the record that says that it is whole."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import PictureError
from fashionbert.files import replacing, write_json
from fashionbert.images.ahead import DECODERS, map_ahead
from fashionbert.images.decode import decode_picture
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.store import part_path, row_checksum
from fashionbert.types import ImageInput, Picture, Product


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteProgress:
    """How far the writing is.

    Attributes:
        products: products read, those of earlier runs too.
        pictures: pictures decoded in this run, broken ones too.
        set_aside: broken pictures, those of earlier runs too.
    """

    products: int = 0
    pictures: int = 0
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class _View:
    """A picture on its way.

    Attributes:
        product: place of its product in the part.
        picture: where it comes from.
        content: first its source, then its prepared pixels, one array a variant; or what is wrong with it.
    """

    product: int
    picture: Picture
    content: "ImageInput | list[NDArray[np.uint8]] | PictureError"


class PartWriter:
    """Writes one part; made anew for each."""

    def __init__(
        self, extractor: PatchExtractor, state: WriteProgress, progress: Callable[[WriteProgress], None]
    ) -> None:
        """Start from the progress so far.

        Args:
            extractor: gives the features.
            state: progress when the part begins; counts on from there.
            progress: called after every batch.
        """
        self.extractor = extractor
        self.state = state
        self.progress = progress
        self._variants = (False, True) if extractor.settings.variants == "mirrored" else (False,)
        self._products: list[tuple[str, int]] = []
        self._faults: list[dict[str, str]] = []

    def write(self, folder: Path, number: int, products: Iterable[Product]) -> dict[str, Any]:
        """Write the features of products, then the record.

        Args:
            folder: of the store.
            number: of the part.
            products: that it holds.

        Returns:
            The record: ``checksums`` of the rows, ``bytes`` of the file,
            ``products`` as (id, usable pictures), ``faults``.

        Raises:
            StoreError: features do not fit in float16.
        """
        path = part_path(folder, number)
        checksums: list[int] = []
        shape = (self.extractor.patches, self.extractor.feature_size)
        with replacing(path) as temporary, temporary.open("wb") as file:
            _write_header(file, (0, *shape))
            for features in self._features(products):
                file.write(features.tobytes())
                checksums += [row_checksum(row) for row in features]
            file.seek(0)
            _write_header(file, (len(checksums), *shape))
        size = path.stat().st_size
        record = {"checksums": checksums, "bytes": size, "products": self._products, "faults": self._faults}
        write_json(_record_path(folder, number), record)
        return record

    def _features(self, products: Iterable[Product]) -> Iterator[NDArray[np.float16]]:
        batch: list[NDArray[np.uint8]] = []
        size = self.extractor.pictures_at_once
        for view in map_ahead(self._prepare, self._read(products), workers=DECODERS, ahead=max(size, 2 * DECODERS)):
            if isinstance(view.content, PictureError):
                self._set_aside(view, view.content)
            elif isinstance(view.content, list):
                batch.extend(view.content)
                product_id, views = self._products[view.product]
                self._products[view.product] = product_id, views + 1
            self.state = replace(self.state, pictures=self.state.pictures + 1)
            if len(batch) >= size:
                yield self._forward(batch)
                batch = []
        if batch:
            yield self._forward(batch)

    def _read(self, products: Iterable[Product]) -> Iterator[_View]:
        for product in products:
            self._products.append((product.product_id, 0))
            self.state = replace(self.state, products=self.state.products + 1)
            for picture in product.pictures:
                try:
                    content = picture.read()
                except PictureError as error:
                    content = error
                yield _View(len(self._products) - 1, picture, content)

    def _prepare(self, view: _View) -> _View:
        if isinstance(view.content, PictureError | list):
            return view
        try:
            picture = decode_picture(view.content, name=view.picture.name)
        except PictureError as error:
            return replace(view, content=error)
        return replace(view, content=[self.extractor.prepare(picture, mirrored=side) for side in self._variants])

    def _set_aside(self, view: _View, error: PictureError) -> None:
        self._faults.append(
            {
                "product_id": self._products[view.product][0],
                "picture": view.picture.name,
                "reason": error.reason,
                "message": str(error),
            }
        )
        self.state = replace(self.state, set_aside=self.state.set_aside + 1)

    def _forward(self, batch: list[NDArray[np.uint8]]) -> NDArray[np.float16]:
        features = self.extractor.forward(batch)
        self.progress(self.state)
        return features


def read_record(folder: Path, number: int) -> dict[str, Any] | None:
    """Read the record of a part; None if the part is not whole."""
    try:
        record = json.loads(_record_path(folder, number).read_text("utf-8"))
        whole = record["bytes"] == part_path(folder, number).stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if whole else None


def _record_path(folder: Path, number: int) -> Path:
    return part_path(folder, number).with_suffix(".json")


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Write NumPy's header, which leaves room for more rows, so that it can be written again when they are known."""
    np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
