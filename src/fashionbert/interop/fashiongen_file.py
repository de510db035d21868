"""Writing files in the layout of the Fashion-Gen challenge, to rehearse with them what the real ones will go through.

``fashiongen_256_256_{train,validation}.h5`` have a row for each angle of a product: ``input_image`` uint8
[N, 256, 256, 3], texts as latin-1 bytes [N, 1], ``input_productID`` int64 [N, 1]. They are read by
:mod:`fashionbert.catalogue.fashiongen`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fashionbert.catalogue import Catalogue
from fashionbert.errors import CatalogueError, MissingExtraError, PictureError
from fashionbert.files import replacing
from fashionbert.images.decode import decode_picture
from fashionbert.types import Product

SIDE = 256
_ROWS_AT_ONCE = 64
_TEXTS = {
    "input_name": 100,
    "input_description": 1000,
    "input_category": 60,
    "input_subcategory": 60,
    "input_gender": 20,
    "input_season": 20,
    "input_composition": 400,
}
"""Bytes of each text field; what is longer is cut."""
_CROPS = ((0.0, 0.0, 1.0, 1.0), (0.08, 0.04, 0.98, 0.94), (0.04, 0.08, 0.94, 0.98))
"""Left, top, right, bottom of what stands for further angles of a product that has one photo."""


def write_fashiongen(
    catalogue: Catalogue,
    folder: Path,
    *,
    angles: int = 3,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Path]:
    """Write a file for each split.

    A product with fewer photos than ``angles`` gets crops of its first one in their place: enough to rehearse, no true
    angles.

    Args:
        catalogue: the products; their text becomes the description, attributes of like name the other fields.
        folder: where the files go.
        angles: rows of each product, 3 at most where it has one photo.
        progress: called with the products written so far.

    Returns:
        The files.

    Raises:
        CatalogueError: no picture of a split can be used.
        MissingExtraError: h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("h5py", "fashiongen", "Writing Fashion-Gen files") from error
    paths, done = [], 0
    for split in catalogue.splits:
        path = folder / f"fashiongen_{SIDE}_{SIDE}_{split}.h5"
        products = catalogue.split(split)
        with replacing(path) as temporary, h5py.File(temporary, "w") as file:
            writer = _Writer(file)
            for number, product in enumerate(products):
                writer.add(done + number, product, _views(product, angles))
                progress(done + number + 1)
            writer.finish()
            if not writer.rows:
                raise CatalogueError(f"no picture of split {split!r} of {catalogue.name} can be used")
        done += len(products)
        paths.append(path)
    return paths


class _Writer:
    """Grows the data sets of one file, some rows at a time."""

    def __init__(self, file: Any) -> None:
        self._file, self.rows = file, 0
        shape = (0, SIDE, SIDE, 3)
        options = {"maxshape": (None, *shape[1:]), "chunks": (1, *shape[1:]), "compression": "lzf"}
        file.create_dataset("input_image", shape, np.uint8, **options)
        kinds = {"index": np.int64, "index_2": np.int64, "input_productID": np.int64}
        kinds |= {name: f"S{size}" for name, size in _TEXTS.items()}
        for name, kind in kinds.items():
            file.create_dataset(name, (0, 1), kind, maxshape=(None, 1), chunks=(4096, 1))
        self._waiting: list[tuple[dict[str, Any], NDArray[np.uint8]]] = []

    def add(self, number: int, product: Product, views: Iterator[NDArray[np.uint8]]) -> None:
        """Add a row for each view."""
        known = {"title": product.attributes.get("title", ""), **product.attributes}
        texts = {
            "input_name": known.get("name") or known["title"],
            "input_description": product.text,
            "input_category": product.category,
            "input_subcategory": product.subcategory,
            "input_gender": known.get("gender") or known.get("gender_group", ""),
            "input_season": known.get("season", ""),
            "input_composition": known.get("composition", ""),
        }
        values: dict[str, Any] = {
            name: text.encode("latin-1", errors="replace")[: _TEXTS[name]] for name, text in texts.items()
        }
        values["input_productID"] = int(product.product_id) if product.product_id.isdecimal() else number
        for view in views:
            row = self.rows + len(self._waiting)
            self._waiting.append(({**values, "index": row, "index_2": row}, view))
        if len(self._waiting) >= _ROWS_AT_ONCE:
            self.finish()

    def finish(self) -> None:
        """Write the rows that wait."""
        if not self._waiting:
            return
        end = self.rows + len(self._waiting)
        for name, data in self._file.items():
            data.resize(end, axis=0)
            if name == "input_image":
                data[self.rows : end] = np.stack([view for _, view in self._waiting])
            else:
                data[self.rows : end, 0] = np.array([values[name] for values, _ in self._waiting], data.dtype)
        self.rows = end
        self._waiting.clear()


def _views(product: Product, angles: int) -> Iterator[NDArray[np.uint8]]:
    """Square pixels of each photo; crops of the first where there are too few. Broken photos are passed over."""
    photos: list[Image.Image] = []
    for picture in product.pictures[:angles]:
        try:
            photos.append(decode_picture(picture.read(), name=picture.name))
        except PictureError:
            continue
    boxes: Sequence[tuple[Image.Image, tuple[float, float, float, float]]] = [(photo, _CROPS[0]) for photo in photos]
    if photos:
        boxes = [*boxes, *((photos[0], crop) for crop in _CROPS[1:])][:angles]
    for photo, (left, top, right, bottom) in boxes:
        box = (left * photo.width, top * photo.height, right * photo.width, bottom * photo.height)
        yield np.asarray(photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))
