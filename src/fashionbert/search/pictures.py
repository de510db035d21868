"""Pictures that come with a query or a pair, and those that the index holds -> records and vectors.

Letters: N pictures, E vector size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fashionbert.images.decode import DEFAULT_LIMITS, PictureLimits, decode_picture
from fashionbert.scoring import KeptPictures, Prepared
from fashionbert.search.encoders import RecallEncoder
from fashionbert.types import ImageInput, ProductId

if TYPE_CHECKING:
    from fashionbert.search.shelf import Shelf


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """All that is kept of a decoded picture, which itself takes 50 MB where a phone took it.

    Attributes:
        prepared: what the pair model takes of it.
        recalled: what the recall encoder takes of it.
        pixels: that were decoded.
    """

    prepared: Prepared
    recalled: Any
    pixels: int

    @property
    def nbytes(self) -> int:
        """What is held of it, for the pair model and for the recall encoder."""
        recalled = self.recalled.values() if isinstance(self.recalled, Mapping) else [self.recalled]
        return sum(getattr(array, "nbytes", 0) for array in (*self.prepared, *recalled))


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
        return self.seen(decode_picture(picture, limits, name=name))

    def seen(self, upright: Image.Image) -> SeenPicture:
        """Keep what is needed of a decoded picture."""
        prepared, recalled = self._kept.prepare(upright), self._encoder.prepare(upright)
        return SeenPicture(prepared, recalled, upright.width * upright.height)

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
            read, vectors_NE = self.read_seen(seen)
            for number, place in enumerate(asked):
                records[place], vectors[place] = read[[number]], vectors_NE[number]
        return records, vectors

    def read_seen(
        self, seen: Sequence[SeenPicture], titles: Sequence[str] | None = None
    ) -> tuple[NDArray[np.void], NDArray[np.float32]]:
        """Give records [N] and unit vectors [N, E] of decoded pictures, or of products by title and picture."""
        records = self._kept.read_prepared([picture.prepared for picture in seen])
        return records, self._encoder.encode_prepared([picture.recalled for picture in seen], records, titles)

    def records(self, pictures: Sequence[AnyPicture], shelf: "Shelf") -> NDArray[np.void]:
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
        seen = [self._seen(each).prepared for each in pictures if not isinstance(each, IndexedPicture)]
        records[others] = self._kept.read_prepared(seen)
        return records

    def kept_of(self, shelf: "Shelf", rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.void]:
        """Give the records of rows of the index [N]."""
        distinct, places = np.unique(np.asarray(rows, np.int64), return_inverse=True)
        taken = shelf.table.take(shelf.row_ids[distinct], ["record"])
        return np.frombuffer(b"".join(taken["record"].to_pylist()), self._kept.dtype)[places]

    def _seen(self, picture: ImageInput | SeenPicture) -> SeenPicture:
        return picture if isinstance(picture, SeenPicture) else self.look(picture)
