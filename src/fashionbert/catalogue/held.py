"""A catalogue of products that a program holds already, for data that no reader knows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from fashionbert.catalogue.cells import compact
from fashionbert.catalogue.table import FIELDS, Catalogue
from fashionbert.types import ImageInput, Picture, Product


@dataclass(frozen=True, slots=True)
class HeldPicture:
    """A picture that is at hand, such as an uploaded one.

    Attributes:
        name: what messages call it.
        source: the picture.
    """

    name: str
    source: ImageInput

    def read(self) -> ImageInput:
        """Give the picture."""
        return self.source


@dataclass(frozen=True, slots=True)
class _HeldPictures:
    pictures: Sequence[Picture]

    def open(self, reference: int) -> Picture:
        return self.pictures[reference]

    def identity(self, reference: int) -> str:
        return self.pictures[reference].name


def hold_products(products: Iterable[Product], name: str = "held") -> Catalogue:
    """Make a catalogue of products as they are; nothing is judged, completed or split.

    Args:
        products: products with unique ids; an attribute that only some have is empty for the others.
        name: what reports call the catalogue.

    Returns:
        The catalogue, in the order of the products.
    """
    products = list(products)
    attributes = dict.fromkeys(key for product in products for key in product.attributes)
    columns = {field: [getattr(product, field) for product in products] for field in FIELDS}
    columns |= {key: [product.attributes.get(key, "") for product in products] for key in attributes}
    pictures: list[Picture] = []
    references: list[list[int]] = []
    for product in products:
        references.append(list(range(len(pictures), len(pictures) + len(product.pictures))))
        pictures += product.pictures
    table = pa.table({key: pa.array(values, pa.large_string()) for key, values in columns.items()})
    lists = pa.chunked_array([pa.array(references, pa.list_(pa.int64()))])
    return Catalogue(compact(table), lists, _HeldPictures(pictures), name=name)
