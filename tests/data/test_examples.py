from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from fashionbert.catalogue import Catalogue
from fashionbert.data import Examples, build_examples
from fashionbert.errors import CatalogueError


def test_one_row_a_product_or_one_a_picture(make_examples: Callable[..., Examples]) -> None:
    views = [1, 3] + [1] * 10
    first = make_examples(views=views)
    assert first.feature_rows.tolist() == [0, 1, *range(4, 14)]
    every = make_examples(all_pictures=True, views=views)
    assert every.product_ids[:5] == ["p0", "p1", "p1", "p1", "p2"]
    assert every.feature_rows.tolist() == list(range(14))
    assert every.groups[:6].tolist() == [0, 0, 0, 0, 1, 1]
    assert every.texts.lengths[:5].tolist() == [3, 4, 4, 4, 5]
    assert len(set(every.subcategories[:8])) == len(set(every.subcategories[8:])) == 1


def test_cut_texts_count_once_a_product(
    products: Catalogue, make_features: Callable[..., Any], tokenizer: PreTrainedTokenizerFast
) -> None:
    features = make_features([f"p{number}" for number in range(12)], views=[1] * 11 + [3])
    examples = build_examples(products, features, tokenizer, max_tokens=12, all_pictures=True)
    assert examples.cut_texts == (2, 12)  # 11 and 12 words, where 10 fit between [CLS] and [SEP]


def test_variants_are_drawn_in_training_only(make_examples: Callable[..., Examples]) -> None:
    examples = make_examples(variants=2)
    rows = np.array([3, 3, 5])
    assert examples.read_features(rows)[:, 0, 0].tolist() == [6, 6, 10]
    drawn = examples.read_features(np.full(2000, 3), np.random.default_rng(0))[:, 0, 0]
    assert set(drawn.tolist()) == {6, 7}
    assert 800 < (drawn == 7).sum() < 1200


def test_products_without_features_are_left_out_and_named(
    products: Catalogue, make_features: Callable[..., Any], tokenizer: PreTrainedTokenizerFast
) -> None:
    features = make_features(["p1", "p4"])
    examples = build_examples(products, features, tokenizer, max_tokens=20, all_pictures=False)
    assert list(examples.product_ids) == ["p1", "p4"]
    assert examples.texts.lengths.tolist() == [4, 7]
    assert examples.left_out == ("p0", "p2", "p3", *(f"p{number}" for number in range(5, 12)))


def test_nothing_left(
    products: Catalogue, make_features: Callable[..., Any], tokenizer: PreTrainedTokenizerFast
) -> None:
    with pytest.raises(CatalogueError, match="no product of held has patch features") as caught:
        build_examples(products, make_features(["other"]), tokenizer, max_tokens=20, all_pictures=False)
    assert "fashionbert features" in caught.value.faults[1]


def test_titles_are_read_from_a_column_that_must_be_there(
    products: Catalogue, make_features: Callable[..., Any], tokenizer: PreTrainedTokenizerFast
) -> None:
    """A text in a title's place would be told by itself."""
    features = make_features(["p1", "p4"])
    with pytest.raises(CatalogueError, match="held has no column 'Title' to read titles from"):
        build_examples(products, features, tokenizer, max_tokens=20, all_pictures=False, title="Title")
