"""Equal texts and equal pictures, found by digests: 16 bytes each are kept, never the texts or pictures."""

import hashlib
from array import array
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionbert.types import ImageInput

_DIGEST_BYTES = 16


def text_digest(text: str) -> bytes:
    """Return 16 bytes that texts share which differ in case and white space alone."""
    return hashlib.blake2b(" ".join(text.casefold().split()).encode(), digest_size=_DIGEST_BYTES).digest()


def picture_digest(source: ImageInput) -> bytes:
    """Return 16 bytes that pictures of equal bytes (or equal pixels, where pixels are given) share.

    Args:
        source: the picture as it was read.

    Returns:
        The digest.

    Raises:
        OSError: a path cannot be read.
    """
    if isinstance(source, bytes):
        data = source
    elif isinstance(source, np.ndarray):
        data = repr(source.shape).encode() + source.tobytes()
    elif isinstance(source, str | PathLike):
        data = Path(source).read_bytes()
    else:
        data = repr((source.mode, source.size)).encode() + source.tobytes()
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()


class Digests:
    """Digests of many things, each with the place of its product."""

    def __init__(self) -> None:
        self._digests = bytearray()
        self._places = array("q")

    def add(self, digest: bytes, place: int) -> None:
        """Add a digest of 16 bytes."""
        self._digests += digest
        self._places.append(place)

    def shared_across(self, kinds: NDArray[np.int64], within: NDArray[np.int64]) -> NDArray[np.int64]:
        """Find the products that share a digest with a product of another kind.

        Args:
            kinds: for each product its kind (say, its group), as a code >= 0.
            within: for each product a code; products with different codes are not compared.

        Returns:
            Places of products, ascending, without repeats.
        """
        if not self._places:
            return np.zeros(0, dtype=np.int64)
        places = np.frombuffer(self._places, dtype=np.int64)
        halves = np.frombuffer(bytes(self._digests), dtype=np.uint64).reshape(-1, 2)
        order = np.lexsort((kinds[places], within[places], halves[:, 1], halves[:, 0]))
        places, halves = places[order], halves[order]
        new = np.ones(len(places), dtype=np.bool_)
        new[1:] = (halves[1:] != halves[:-1]).any(axis=1) | (within[places[1:]] != within[places[:-1]])
        starts = np.flatnonzero(new)
        ends = np.append(starts[1:], len(places))
        mixed = kinds[places[starts]] != kinds[places[ends - 1]]
        return np.unique(places[np.repeat(mixed, ends - starts)])
