"""Products -> rows of the index: pictures decoded, read by the model, shrunk for the card.

Letters: N pictures, E vector size.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from fashionbert.errors import PictureError
from fashionbert.images.decode import decode_picture
from fashionbert.images.part import DECODERS, map_ahead
from fashionbert.scoring import KeptPictures
from fashionbert.search.attributes import to_json
from fashionbert.search.encoders import RecallEncoder
from fashionbert.search.table import schema
from fashionbert.search.thumbnails import make_thumbnail
from fashionbert.types import ImageInput, Product


@dataclass(frozen=True, slots=True)
class ViewFault:
    """A picture that was set aside.

    Attributes:
        product_id: of its product.
        picture: where it lies.
        reason: short stable name to count by.
        message: what was found and what to do.
    """

    product_id: str
    picture: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class FetchedProduct:
    """A product with its pictures as they lie in the catalogue, not yet decoded.

    Attributes:
        product: the product.
        sources: its pictures, or what is wrong with one.
        content: hash of all that its rows are made of.
    """

    product: Product
    sources: tuple[ImageInput | PictureError, ...]
    content: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """A decoded picture: what the network takes of it, a variant each, and what the card shows."""

    picture: Image.Image
    prepared: list[NDArray[np.uint8]]
    thumbnail: bytes


def fetch(product: Product, pictures: int) -> FetchedProduct:
    """Read the files of a product.

    Args:
        product: the product.
        pictures: at most so many of its pictures.

    Returns:
        The product with what was read.
    """
    digest = hashlib.sha256()
    words = (product.group_id, product.text, product.category, product.subcategory, to_json(product.attributes))
    for word in words:
        digest.update(word.encode() + b"\0")
    sources: list[ImageInput | PictureError] = []
    for picture in product.pictures[:pictures]:
        try:
            source = picture.read()
            digest.update(_bytes_of(source))
        except PictureError as error:
            source = error
        digest.update(b"\0" + picture.name.encode())
        sources.append(source)
    return FetchedProduct(product, tuple(sources), digest.hexdigest()[:24])


class RowMaker:
    """Makes the rows of products with one model."""

    def __init__(self, kept: KeptPictures, encoder: RecallEncoder, *, thumbnail_side: int) -> None:
        """Take what reads the pictures.

        Args:
            kept: makes the records that pairs are scored with.
            encoder: makes the vectors that recall.
            thumbnail_side: longest side of the pictures on cards.
        """
        self._kept, self._encoder, self._side = kept, encoder, thumbnail_side
        self._extractor = kept.scorer.processor.extractor

    def rows(self, fetched: Sequence[FetchedProduct]) -> tuple[pa.Table, list[ViewFault]]:
        """Make the rows of products.

        Args:
            fetched: the products.

        Returns:
            Rows, one for each usable picture; and the pictures that were set aside.

        Raises:
            StoreError: the model gives numbers that are not finite.
        """
        places = [(item, number) for item in fetched for number in range(len(item.sources))]
        seen: list[tuple[FetchedProduct, int, _Seen]] = []
        faults: list[ViewFault] = []
        looked = map_ahead(self._look, places, workers=DECODERS, ahead=4 * DECODERS)
        for (item, number), found in zip(places, looked, strict=True):
            if isinstance(found, PictureError):
                name = item.product.pictures[number].name
                faults.append(ViewFault(item.product.product_id, name, found.reason, str(found)))
            else:
                seen.append((item, number, found))
        records = self._read([found for _, _, found in seen])
        vectors_NE = self._encoder.encode_pictures([found.picture for _, _, found in seen], records)
        return self._table(seen, records, vectors_NE), faults

    def _look(self, place: tuple[FetchedProduct, int]) -> _Seen | PictureError:
        item, number = place
        source = item.sources[number]
        if isinstance(source, PictureError):
            return source
        try:
            picture = decode_picture(source, name=item.product.pictures[number].name)
        except PictureError as error:
            return error
        prepared = [self._extractor.prepare(picture, mirrored=bool(side)) for side in range(self._kept.variants)]
        return _Seen(picture, prepared, make_thumbnail(picture, self._side))

    def _read(self, seen: Sequence[_Seen]) -> NDArray[np.void]:
        size = self._extractor.pictures_at_once
        variants = []
        for variant in range(self._kept.variants):
            prepared = [found.prepared[variant] for found in seen]
            batches = [prepared[start : start + size] for start in range(0, len(prepared), size)]
            features = [self._extractor.forward([]), *map(self._extractor.forward, batches)]
            variants.append(np.concatenate(features).__getitem__)
        return self._kept.read_features(variants, len(seen))

    def _table(
        self,
        seen: Sequence[tuple[FetchedProduct, int, _Seen]],
        records: NDArray[np.void],
        vectors_NE: NDArray[np.float32],
    ) -> pa.Table:
        products = [item.product for item, _, _ in seen]
        numbers = [number for _, number, _ in seen]
        columns = {
            "view_id": [f"{product.product_id}/{number}" for product, number in zip(products, numbers, strict=True)],
            "product_id": [product.product_id for product in products],
            "view": numbers,
            "group_id": [product.group_id for product in products],
            "text": [product.text for product in products],
            "category": [product.category for product in products],
            "subcategory": [product.subcategory for product in products],
            "attributes": [to_json(product.attributes) for product in products],
            "picture": [item.product.pictures[number].name for item, number, _ in seen],
            "content": [item.content for item, _, _ in seen],
            "thumbnail": [found.thumbnail for _, _, found in seen],
            "record": [record.tobytes() for record in records],
        }
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(vectors_NE.ravel(), pa.float32()), self._encoder.size)
        fields = schema(self._encoder.size)
        arrays = [vectors if field.name == "vector" else pa.array(columns[field.name], field.type) for field in fields]
        return pa.Table.from_arrays(arrays, schema=fields)


def _bytes_of(source: ImageInput) -> bytes:
    """All that a picture is, whatever holds it; catalogues give bytes or pixels."""
    return source if isinstance(source, bytes) else np.asarray(source).tobytes()
