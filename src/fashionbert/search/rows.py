"""Products -> rows of the index: pictures decoded, read by the model, shrunk for the card.

Letters: N pictures, E vector size.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm

import numpy as np
import pyarrow as pa

from fashionbert.errors import PictureError
from fashionbert.images.ahead import DECODERS, map_ahead
from fashionbert.images.decode import DEFAULT_LIMITS, PictureLimits, decode_picture
from fashionbert.scoring import KeptPictures
from fashionbert.search.attributes import to_json
from fashionbert.search.encoders import RecallEncoder
from fashionbert.search.pictures import PictureReader, SeenPicture
from fashionbert.search.table import schema
from fashionbert.search.thumbnails import make_thumbnail
from fashionbert.search.words import word_ids
from fashionbert.types import ImageInput, Product

_PIECE_BYTES = 256_000_000
"""Of prepared pictures: sixty-four enlarged cells of one take 10 MB."""


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
        size: bytes that its pictures take until they are decoded.
    """

    product: Product
    sources: tuple[ImageInput | PictureError, ...]
    content: str
    size: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is kept of a decoded picture, which itself takes 50 MB where a phone took it.

    Attributes:
        item: its product.
        number: which of the product's pictures it is.
        picture: what the models take of it.
        thumbnail: what the card shows.
    """

    item: FetchedProduct
    number: int
    picture: SeenPicture
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
    size = 0
    for picture in product.pictures[:pictures]:
        try:
            source = picture.read()
            data = _bytes_of(source)
            digest.update(data)
            size += len(data)
        except PictureError as error:
            source = error
        digest.update(b"\0" + picture.name.encode())
        sources.append(source)
    return FetchedProduct(product, tuple(sources), digest.hexdigest()[:24], size)


class RowMaker:
    """Makes the rows of products with one model."""

    def __init__(
        self,
        kept: KeptPictures,
        encoder: RecallEncoder,
        *,
        thumbnail_side: int,
        limits: PictureLimits = DEFAULT_LIMITS,
    ) -> None:
        """Take what reads the pictures.

        Args:
            kept: makes the records that pairs are scored with.
            encoder: makes the vectors that recall.
            thumbnail_side: longest side of the pictures on cards.
            limits: pictures to refuse.
        """
        self._scorer, self._encoder, self._side = kept.scorer, encoder, thumbnail_side
        self._reader, self._limits = PictureReader(kept, encoder), limits

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
        faults: list[ViewFault] = []
        tables = [schema(self._encoder.size).empty_table()]
        piece: list[_Seen] = []
        size = 0
        for found in map_ahead(self._look, places, workers=DECODERS, ahead=4 * DECODERS):
            if isinstance(found, ViewFault):
                faults.append(found)
                continue
            piece.append(found)
            size += found.picture.nbytes
            if len(piece) == self._pictures_at_once or size >= _PIECE_BYTES:
                tables.append(self._table(piece))
                piece, size = [], 0
        if piece:
            tables.append(self._table(piece))
        return pa.concat_tables(tables), faults

    @property
    def _pictures_at_once(self) -> int:
        """Pictures of a piece: so many that each model's batches are those of all pictures in one go.

        In another batch a picture's numbers may differ in their last bits.
        """
        return lcm(
            self._scorer.processor.extractor.pictures_at_once, self._scorer.batch_size, self._encoder.pictures_at_once
        )

    def _look(self, place: tuple[FetchedProduct, int]) -> _Seen | ViewFault:
        item, number = place
        source = item.sources[number]
        if isinstance(source, PictureError):
            return _fault(item, number, source)
        try:
            picture = decode_picture(source, self._limits, name=item.product.pictures[number].name)
        except PictureError as error:
            return _fault(item, number, error)
        return _Seen(item, number, self._reader.seen(picture), make_thumbnail(picture, self._side))

    def _table(self, seen: Sequence[_Seen]) -> pa.Table:
        products = [found.item.product for found in seen]
        records, vectors_NE = self._reader.read_seen([found.picture for found in seen], self._titles(products))
        numbers = [found.number for found in seen]
        columns = {
            "view_id": [f"{product.product_id}/{number}" for product, number in zip(products, numbers, strict=True)],
            "product_id": [product.product_id for product in products],
            "view": numbers,
            "group_id": [product.group_id for product in products],
            "text": [product.text for product in products],
            "words": [word_ids(product.text) for product in products],
            "category": [product.category for product in products],
            "subcategory": [product.subcategory for product in products],
            "attributes": [to_json(product.attributes) for product in products],
            "picture": [found.item.product.pictures[found.number].name for found in seen],
            "content": [found.item.content for found in seen],
            "thumbnail": [found.thumbnail for found in seen],
            "record": [record.tobytes() for record in records],
        }
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(vectors_NE.ravel(), pa.float32()), self._encoder.size)
        fields = schema(self._encoder.size)
        arrays = [vectors if field.name == "vector" else pa.array(columns[field.name], field.type) for field in fields]
        return pa.Table.from_arrays(arrays, schema=fields)

    def _titles(self, products: Sequence[Product]) -> list[str] | None:
        """What stands before each picture in its vector; nothing for products without a title."""
        name = self._encoder.title
        return None if name is None else [product.attributes.get(name, "") for product in products]


def _fault(item: FetchedProduct, number: int, error: PictureError) -> ViewFault:
    return ViewFault(item.product.product_id, item.product.pictures[number].name, error.reason, str(error))


def _bytes_of(source: ImageInput) -> bytes:
    """All that a picture is, whatever holds it; catalogues give bytes or pixels."""
    return source if isinstance(source, bytes) else np.asarray(source).tobytes()
