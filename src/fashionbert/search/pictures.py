"""Pictures that come with a query or a pair, and those that the index holds -> records and vectors.

Letters: N pictures, E vector size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fashionbert.images.decode import DEFAULT_LIMITS, PictureLimits
from fashionbert.scoring import KeptPictures, SeenPicture
from fashionbert.search.encoders import RecallEncoder
from fashionbert.search.shelf import Shelf
from fashionbert.types import ImageInput, ProductId


@dataclass(frozen=True, slots=True)
class IndexedPicture:
    """A picture of the index.

    Attributes:
        product_id: of its product.
        view: its number; None: the first that there is, since the pictures before it may have been set aside.
    """

    product_id: ProductId
    view: int | None = None


AnyPicture: TypeAlias = ImageInput | SeenPicture | IndexedPicture


class PictureReader:
    """Reads pictures for one index: each is decoded once, and all of a request go through the networks together."""

    def __init__(self, kept: KeptPictures, encoder: RecallEncoder) -> None:
        """Take what makes records, and what makes vectors."""
        self._kept, self._encoder = kept, encoder

    def look(
        self, picture: ImageInput, limits: PictureLimits = DEFAULT_LIMITS, *, name: str | None = None
    ) -> SeenPicture:
        """Decode a picture; arguments and errors as of ``SearchEngine.look``."""
        seen = self._kept.look(picture, limits, name=name)
        return seen if self._encoder.needs_pictures else replace(seen, upright=None)

    def read(
        self, pictures: Sequence[ImageInput | SeenPicture | None]
    ) -> tuple[list[NDArray[np.void] | None], list[NDArray[np.float32] | None]]:
        """Read the pictures of queries, of which some have none.

        Args:
            pictures: of the queries.

        Returns:
            A record [1] and a vector [E] for each picture.

        Raises:
            PictureError: a picture cannot be used.
        """
        seen = [self._seen(picture) for picture in pictures if picture is not None]
        records: list[NDArray[np.void] | None] = [None] * len(pictures)
        vectors: list[NDArray[np.float32] | None] = [None] * len(pictures)
        if seen:
            asked = [place for place, picture in enumerate(pictures) if picture is not None]
            read = self._kept.read_seen(seen)
            upright = [picture.upright for picture in seen if picture.upright is not None]
            vectors_NE = self._encoder.encode_pictures(upright, read)
            for number, place in enumerate(asked):
                records[place], vectors[place] = read[[number]], vectors_NE[number]
        return records, vectors

    def records(self, pictures: Sequence[AnyPicture], shelf: Shelf) -> NDArray[np.void]:
        """Give the records of pictures, those of the index from its table.

        Args:
            pictures: of the index, or others.
            shelf: of the index.

        Returns:
            Records [N].

        Raises:
            QueryError: there is no such product or picture.
            PictureError: a picture cannot be used.
        """
        records = np.empty(len(pictures), self._kept.dtype)
        held = {place: each for place, each in enumerate(pictures) if isinstance(each, IndexedPicture)}
        rows = [shelf.row_of_view(picture.product_id, picture.view) for picture in held.values()]
        for place, record in zip(held, self.kept_of(shelf, rows), strict=True):
            records[place] = record
        others = [place for place in range(len(pictures)) if place not in held]
        records[others] = self._kept.read_seen([self._seen(each) for each in pictures if not _is_held(each)])
        return records

    def kept_of(self, shelf: Shelf, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.void]:
        """Give the records of rows of the index [N]."""
        distinct, places = np.unique(np.asarray(rows, np.int64), return_inverse=True)
        taken = shelf.table.take(shelf.row_ids[distinct], ["record"])
        return np.frombuffer(b"".join(taken["record"].to_pylist()), self._kept.dtype)[places]

    def _seen(self, picture: AnyPicture) -> SeenPicture:
        assert not isinstance(picture, IndexedPicture)
        return picture if isinstance(picture, SeenPicture) else self.look(picture)


def _is_held(picture: AnyPicture) -> bool:
    return isinstance(picture, IndexedPicture)
