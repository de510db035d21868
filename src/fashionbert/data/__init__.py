"""From products to batches, on the CPU, with explicit generators."""

from fashionbert.data.collate import (
    NOT_HIDDEN,
    Hiding,
    MaskedPictures,
    MaskedTexts,
    TextBatch,
    collate_pictures,
    collate_texts,
    collate_titles,
    pad_texts,
)
from fashionbert.data.examples import Examples, FeatureSource, build_examples
from fashionbert.data.masking import WordMasking, drop_words, mask_patches, mask_words
from fashionbert.data.negatives import (
    NegativeSampler,
    PairRows,
    alternate_sides,
    draw_mined,
    pair_rows,
    places_among,
)
from fashionbert.data.plan import epoch_batches

__all__ = [
    "NOT_HIDDEN",
    "Examples",
    "FeatureSource",
    "Hiding",
    "MaskedPictures",
    "MaskedTexts",
    "NegativeSampler",
    "PairRows",
    "TextBatch",
    "WordMasking",
    "alternate_sides",
    "build_examples",
    "collate_pictures",
    "collate_texts",
    "collate_titles",
    "draw_mined",
    "drop_words",
    "epoch_batches",
    "mask_patches",
    "mask_words",
    "pad_texts",
    "pair_rows",
    "places_among",
]
