"""The split that is measured, as arrays: all that protocols need to know of a catalogue."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import ProtocolError
from fashionbert.files import fingerprint

UNKNOWN = -1


class Columns(Protocol):
    """A catalogue's split, read by column."""

    def column(self, name: str) -> Sequence[str]:
        """Return one value for each product, in the catalogue's order."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Gallery:
    """N products by index. Codes are equal where the catalogue's words are; UNKNOWN where it has none.

    Attributes:
        product_ids: unique names, [N].
        groups: products of one group are never negatives of one another, int64 [N].
        categories: int64 [N].
        subcategories: int64 [N].
    """

    product_ids: tuple[str, ...]
    groups: NDArray[np.int64]
    categories: NDArray[np.int64]
    subcategories: NDArray[np.int64]

    def __post_init__(self) -> None:
        sizes = {len(self.product_ids), len(self.groups), len(self.categories), len(self.subcategories)}
        if len(sizes) > 1:
            raise ValueError(f"the arrays of a gallery must have one length, not {sorted(sizes)}")
        if len(np.unique(self.groups)) < 2:
            raise ProtocolError(
                f"a gallery of {len(self.product_ids)} products in fewer than two groups has nothing to be told "
                "apart: measure a split with more groups"
            )
        twice = [name for name, count in Counter(self.product_ids).items() if count > 1]
        if twice:
            raise ProtocolError(
                f"{len(twice)} product ids stand for several products, {', '.join(twice[:5])} among them: "
                "make them unique; 'fashionbert catalogue check' lists all"
            )

    def __len__(self) -> int:
        return len(self.product_ids)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of ids, groups and categories: candidate lists belong to exactly one."""
        codes = [array.tolist() for array in (self.groups, self.categories, self.subcategories)]
        return fingerprint([list(self.product_ids), *codes])

    @cached_property
    def index(self) -> dict[str, int]:
        """Index of each product id."""
        return {product_id: place for place, product_id in enumerate(self.product_ids)}


def gallery_of(catalogue: Columns) -> Gallery:
    """Take from a catalogue's split what protocols need; a product without a group is a group of its own.

    Args:
        catalogue: read by the columns ``product_id``, ``group_id``, ``category`` and ``subcategory``.

    Returns:
        The gallery, in the catalogue's order.

    Raises:
        ProtocolError: fewer than two groups, or ids that are not unique.
    """
    product_ids = tuple(catalogue.column("product_id"))
    groups = [group or f"alone:{name}" for group, name in zip(catalogue.column("group_id"), product_ids, strict=True)]
    return Gallery(
        product_ids=product_ids,
        groups=_codes(groups),
        categories=_codes(catalogue.column("category")),
        subcategories=_codes(catalogue.column("subcategory")),
    )


def _codes(words: Sequence[str]) -> NDArray[np.int64]:
    code_of = {word: code for code, word in enumerate(word for word in dict.fromkeys(words) if word)}
    return np.array([code_of.get(word, UNKNOWN) for word in words], dtype=np.int64)
