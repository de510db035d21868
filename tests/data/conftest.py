from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from fashionbert.catalogue import Catalogue, hold_products
from fashionbert.data import Examples, Hiding, WordMasking, build_examples
from fashionbert.text import learn_tokenizer
from fashionbert.types import Product

MakeExamples: TypeAlias = Callable[..., Examples]
WORDS = ["red", "blue", "green", "linen", "cotton", "silk", "dress", "shirt", "skirt", "coat"]


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return learn_tokenizer([" ".join(WORDS)] * 2, 100)


@pytest.fixture(scope="session")
def products() -> Catalogue:
    """Twelve products p0 to p11 in groups of two, subcategories tops and shoes; p_i has i + 1 words."""
    return hold_products(
        Product(
            product_id=f"p{number}",
            group_id=f"g{number // 2}",
            subcategory="tops" if number < 6 else "shoes",
            text=" ".join((WORDS * 2)[: number + 1]),
            pictures=(),
        )
        for number in range(12)
    )


@pytest.fixture(scope="session")
def make_examples(
    make_features: Callable[..., Any], products: Catalogue, tokenizer: PreTrainedTokenizerFast
) -> MakeExamples:
    def make(all_pictures: bool = False, **options: Any) -> Examples:
        features = make_features([f"p{number}" for number in range(12)], **options)
        return build_examples(products, features, tokenizer, max_tokens=20, all_pictures=all_pictures)

    return make


@pytest.fixture(scope="session")
def make_hiding(tokenizer: PreTrainedTokenizerFast) -> Callable[..., Hiding]:
    def make(words: float | None = 0.3, patches: float = 0.3, drop: float = 0.0, drop_words: float = 0.0) -> Hiding:
        special = len(tokenizer.all_special_ids)
        masking = (
            None
            if words is None
            else WordMasking(
                share=words,
                most=None,
                mask_id=int(tokenizer.convert_tokens_to_ids("[MASK]")),  # pyright: ignore[reportArgumentType]
                ordinary_ids=np.arange(special, len(tokenizer), dtype=np.int32),
            )
        )
        return Hiding(words=masking, word_drop_share=drop_words, patch_mask_share=patches, patch_drop_share=drop)

    return make
