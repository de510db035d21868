"""A gallery small enough to check by hand, and a larger one drawn by lot."""

import numpy as np
import pytest

from fashionbert.evaluation.gallery import Gallery


@pytest.fixture
def small_gallery() -> Gallery:
    """Six products; a and b are one group, shoes have two subcategories, f has none."""
    return Gallery(
        product_ids=("a", "b", "c", "d", "e", "f"),
        groups=np.array([0, 0, 1, 2, 3, 4]),
        categories=np.array([0, 0, 0, 0, 1, -1]),
        subcategories=np.array([0, 0, 0, 1, 2, -1]),
    )


@pytest.fixture
def large_gallery() -> Gallery:
    """400 products, about 250 groups, one subcategory of 300 and a small one of 20, both in category 0."""
    rng = np.random.default_rng(3)
    subcategories = np.repeat([0, 1, 2], [300, 20, 80])
    return Gallery(
        product_ids=tuple(f"p{number}" for number in range(400)),
        groups=np.unique(rng.integers(300, size=400) + 1000 * subcategories, return_inverse=True)[1],
        categories=(subcategories == 2).astype(np.int64),
        subcategories=subcategories,
    )
