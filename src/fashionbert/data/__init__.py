"""From products to batches, on the CPU, with explicit generators."""

from fashionbert.data.collate import Hiding, PairBatch, SideBatch, TextBatch, collate_pairs, collate_sides, pad_texts
from fashionbert.data.examples import Examples, FeatureSource, build_examples
from fashionbert.data.masking import WordMasking, mask_patches, mask_words
from fashionbert.data.negatives import NegativeSampler, PairRows, alternate_sides, draw_mined, pair_rows
from fashionbert.data.plan import epoch_batches

__all__ = [
    "Examples",
    "FeatureSource",
    "Hiding",
    "NegativeSampler",
    "PairBatch",
    "PairRows",
    "SideBatch",
    "TextBatch",
    "WordMasking",
    "alternate_sides",
    "build_examples",
    "collate_pairs",
    "collate_sides",
    "draw_mined",
    "epoch_batches",
    "mask_patches",
    "mask_words",
    "pad_texts",
    "pair_rows",
]
