"""The nouns that every part shares: products, pictures, pairs, and the three roles a model can play.

Nothing here imports torch: a catalogue can be read, checked and split without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

ProductId: TypeAlias = str
GroupId: TypeAlias = str

ImageInput: TypeAlias = str | PathLike[str] | bytes | Image | NDArray[np.uint8]
"""A picture as users hold it: a path, encoded bytes, a PIL picture, or uint8 pixels [height, width, 3]."""

Precision: TypeAlias = Literal["auto", "bf16", "fp32"]
"""Arithmetic of a forward pass; ``auto``: bf16 where the device has instructions for it, else fp32."""

Speed: TypeAlias = Literal["exact", "fast", "split"]
"""How pairs are scored. ``exact``: as the model was trained. ``fast``: in the quickest arithmetic that the device has,
bf16 or int8. ``split``: with the sides apart in more lower layers, by a model that has learnt that form too."""


class Picture(Protocol):
    """One view of a product, not yet read."""

    @property
    def name(self) -> str:
        """Where the picture lies, in words a person can follow (``images/10.jpg``, ``train.parquet row 7``)."""
        ...

    def read(self) -> ImageInput:
        """Read the picture; nothing was read before.

        Returns:
            Encoded bytes, or uint8 pixels [height, width, 3].

        Raises:
            PictureError: the file is missing or unreadable.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One article of a catalogue: its words and its pictures.

    Products of one group (colour variants, shared descriptions, shared photos) are never negatives of one
    another and are all relevant to one another.
    """

    product_id: ProductId
    group_id: GroupId
    text: str
    pictures: tuple[Picture, ...]
    category: str = ""
    subcategory: str = ""
    split: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


Pair: TypeAlias = tuple[str, ImageInput]
"""A text and a picture whose match is asked for."""


class PairScorer(Protocol):
    """Says for each pair how likely its text and picture belong together."""

    def score(self, pairs: Sequence[Pair]) -> NDArray[np.float32]:
        """Return one score in [0, 1] for each pair: float32 [N]."""
        ...


class Encoder(Protocol):
    """Maps texts and pictures to unit vectors of one space."""

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, float32 [N, E]."""
        ...

    def encode_pictures(self, pictures: Sequence[ImageInput]) -> NDArray[np.float32]:
        """Return unit vectors, float32 [N, E]."""
        ...


class Retriever(Protocol):
    """Finds the products nearest to a text or a picture."""

    def search(self, query: str | ImageInput, top_k: int) -> Sequence[tuple[ProductId, float]]:
        """Return at most ``top_k`` (product id, score), best first."""
        ...
