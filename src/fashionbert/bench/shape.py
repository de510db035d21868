"""Sizes of the models that are measured, the same for fashionbert and its rivals."""

from dataclasses import dataclass
from typing import Any

from fashionbert.errors import SettingsError

VOCABULARY = 30_522


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """Sizes of every model that takes part.

    Attributes:
        layers: of the encoder.
        width: D.
        heads: of attention.
        tokens: WordPieces of a text.
        patches: of a picture.
        features: numbers of a patch.
    """

    layers: int = 6
    width: int = 384
    heads: int = 12
    tokens: int = 16
    patches: int = 64
    features: int = 1280


def operations_of_layer(places: int, width: int) -> int:
    """Count the products of numbers in a layer of BERT for one place: four projections, attention, the feed-forward."""
    return 4 * width * width + 2 * places * width + 8 * width * width


def sizes_of(layers: int, width: int, heads: int, places: int) -> dict[str, Any]:
    """Say to a configuration of transformers how large a BERT is, and how many places it can read at most."""
    return {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * width,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": places,
    }


def refuse_heads(width: int, heads: int) -> None:
    """Raise :class:`SettingsError` where the width is no multiple of the heads."""
    if width % heads:
        raise SettingsError(
            "there is no such model", [f"width = {width} is no multiple of heads = {heads}: change one"]
        )
