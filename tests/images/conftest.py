"""Small catalogues of pictures in memory, and an extractor that needs no weights, for the feature store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pytest
import torch

from fashionbert.catalogue import Catalogue, hold_products
from fashionbert.config import ImageSettings
from fashionbert.errors import PictureError
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.network import build_patch_network
from fashionbert.types import ImageInput, Product

MakeCatalogue: TypeAlias = "Callable[[Sequence[Sequence[ImageInput | None]]], Catalogue]"
MakeExtractor: TypeAlias = Callable[..., PatchExtractor]


@dataclass(frozen=True)
class Shot:
    name: str
    content: "ImageInput | None"

    def read(self) -> ImageInput:
        if self.content is None:
            raise PictureError("missing", f"{self.name}: there is no such file")
        return self.content


@pytest.fixture
def make_catalogue() -> MakeCatalogue:
    """Make products p0, p1, ... from the pictures of each; None is a picture that cannot be read."""

    def make(pictures: "Sequence[Sequence[ImageInput | None]]") -> Catalogue:
        return hold_products(
            Product(
                product_id=f"p{number}",
                group_id=f"g{number}",
                text="shirt",
                pictures=tuple(Shot(f"p{number}/{view}.jpg", content) for view, content in enumerate(contents)),
            )
            for number, contents in enumerate(pictures)
        )

    return make


@pytest.fixture
def make_extractor() -> MakeExtractor:
    """Make an extractor of 2 x 2 cells of 3 x 3 pixels: P = 4, F = 27."""

    def make(**changes: object) -> PatchExtractor:
        torch.set_num_threads(1)
        values = {"network": "pixels", "mode": "crop", "grid": 2, "height": 8, "width": 8, "cell_size": 3, **changes}
        settings = ImageSettings.model_validate(values)
        return PatchExtractor(settings, build_patch_network(settings))

    return make
