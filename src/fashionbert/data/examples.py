"""A split as the model sees it: tokenised texts, and patch features that stay on the disk until they are needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from fashionbert.catalogue import Catalogue
from fashionbert.errors import CatalogueError
from fashionbert.text import TokenizedTexts, tokenize


class PictureRows(Protocol):
    """Where the pictures of N products lie."""

    @property
    def first(self) -> NDArray[np.int64]:
        """Row of each product's first picture [N]."""
        ...

    @property
    def views(self) -> NDArray[np.int64]:
        """Number of pictures of each product [N]."""
        ...


class FeatureSource(Protocol):
    """What a feature store offers to training and evaluation."""

    variants: int
    """Rows of one picture: 1, or 2 where the mirror image is stored too."""
    feature_size: int
    """F, floats in one patch feature."""

    def __contains__(self, product_id: object, /) -> bool:
        """Whether the product has at least one picture with features."""
        ...

    def rows(self, product_ids: Sequence[str]) -> "PictureRows":
        """First row and number of pictures of each product; a picture's variants follow one another."""
        ...

    def read_rows(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """Patch features of these rows [N, P, F]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Rows of a split; a row is one product with one of its pictures (the paper's <text, image> pair).

    Attributes:
        product_ids: product of each row [N].
        texts: tokenised text of each row.
        titles: tokenised title of each row; None where nobody reads titles.
        groups: group of each row as a number; rows of one group are never negatives of one another [N].
        subcategories: subcategory of each row as a number [N].
        feature_rows: first row of each picture in the feature source [N].
        features: where patch features are read.
        left_out: products without any usable picture.
    """

    product_ids: Sequence[str]
    texts: TokenizedTexts
    groups: NDArray[np.int64]
    subcategories: NDArray[np.int64]
    feature_rows: NDArray[np.int64]
    features: FeatureSource
    titles: TokenizedTexts | None = None
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.product_ids)

    @property
    def cut_texts(self) -> tuple[int, int]:
        """Number of products whose text was too long for the model, and of all products."""
        cut = {self.product_ids[row] for row in np.flatnonzero(self.texts.cut).tolist()}
        return len(cut), len(set(self.product_ids))

    def read_features(
        self, rows: NDArray[np.int64], generator: np.random.Generator | None = None, *, variant: int = 0
    ) -> NDArray[np.float16]:
        """Read patch features.

        Args:
            rows: rows of this split [n].
            generator: picks one of the stored variants (mirror image) of each picture; None: always ``variant``.
            variant: 0, the plain picture, or 1, its mirror image.

        Returns:
            float16 [n, P, F], in the order of ``rows``.
        """
        places = self.feature_rows[rows] + variant
        if generator is not None and self.features.variants > 1:
            places = self.feature_rows[rows] + generator.integers(self.features.variants, size=len(places))
        return self.features.read_rows(places)


def build_examples(
    catalogue: Catalogue,
    features: FeatureSource,
    tokenizer: PreTrainedTokenizerFast,
    *,
    max_tokens: int,
    all_pictures: bool,
    title: str | None = None,
) -> Examples:
    """Join a split of a catalogue with its features.

    Args:
        catalogue: one split.
        features: feature store of the catalogue.
        tokenizer: the model's tokenizer.
        max_tokens: longest text in WordPieces.
        all_pictures: a row for each picture of a product (training), or for its first one (evaluation).
        title: column of the titles; None: they are not read.

    Returns:
        Rows in the order of the catalogue.

    Raises:
        CatalogueError: no product of the split has features, or there is no such column of titles.
    """
    ids, texts = catalogue.column("product_id"), catalogue.column("text")
    usable = np.asarray([product_id in features for product_id in ids], np.bool_)
    products = np.flatnonzero(usable)
    if len(products) == 0:
        raise CatalogueError(
            f"no product of {catalogue.name} has patch features",
            [f"{len(ids)} products, none of them in the feature store", "run `fashionbert features` on this catalogue"],
        )
    ranges = features.rows([ids[number] for number in products])
    views = ranges.views if all_pictures else np.ones_like(ranges.views)
    view_numbers = np.arange(views.sum()) - np.repeat(np.cumsum(views) - views, views)
    kept = np.repeat(products, views)
    titles = None if title is None else _titles(catalogue, title)
    return Examples(
        product_ids=[ids[number] for number in kept],
        texts=tokenize(tokenizer, [texts[number] for number in kept], max_tokens),
        groups=catalogue.codes("group_id")[kept],
        subcategories=catalogue.codes("subcategory")[kept],
        feature_rows=np.repeat(ranges.first, views) + view_numbers * features.variants,
        features=features,
        titles=None if titles is None else tokenize(tokenizer, [titles[number] for number in kept], max_tokens),
        left_out=tuple(product_id for product_id, found in zip(ids, usable, strict=True) if not found),
    )


def _titles(catalogue: Catalogue, column: str) -> list[str]:
    """Titles of all products, empty for those without one: a text in its place would be told by itself."""
    if column not in catalogue.attributes:
        known = ", ".join(catalogue.attributes) or "none"
        raise CatalogueError(
            f"{catalogue.name} has no column {column!r} to read titles from",
            [f"other columns: {known}", "name one in contrastive.title, or set contrastive.titled_share to 0"],
        )
    return catalogue.column(column)
