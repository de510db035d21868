"""config.json of the authors' code beside our configuration.

Source: ``ImageBertConfig`` in EasyTransfer, ``modeling_imagebert.py``. What it does not say is fixed in their code:
GELU in its tanh form, LayerNorm with an epsilon of 1e-12, class 1 = match, segment 1 and a position table of their own
for patches.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fashionbert.errors import CheckpointError
from fashionbert.model import FashionBertConfig

_ACTIVATIONS = ("gelu_new", "gelu_pytorch_tanh")
_EPSILON = 1e-12
_SIZES = {
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "num_hidden_layers": "num_hidden_layers",
    "num_attention_heads": "num_attention_heads",
    "intermediate_size": "intermediate_size",
    "max_position_embeddings": "max_position_embeddings",
    "type_vocab_size": "type_vocab_size",
    "patch_feature_size": "patch_feature_size",
    "patch_type_vocab_size": "patch_type_vocab_size",
    "max_patch_position_embeddings": "patches",
}
"""Their whole numbers -> our fields."""
_RATES = ("hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range")
_THEIR_DEFAULTS: Mapping[str, Any] = {
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "patch_type_vocab_size": 2,
    "patch_feature_size": 2048,
    "max_patch_position_embeddings": 64,
}
"""Of their ``ImageBertConfig``."""
_MASKED = {"masked_image_token_num": 5, "masked_text_token_num": 10}
"""What their scripts read from config.json beside the shape, and the published values; carried along."""


def read_config(path: Path) -> FashionBertConfig:
    """Read the config.json of a checkpoint of theirs; what they have defaults for may be missing.

    Args:
        path: of the file.

    Returns:
        The same shape as a configuration of ours.

    Raises:
        CheckpointError: the file is missing or broken, or describes no model of theirs; all faults are listed.
    """
    try:
        values: dict[str, Any] = {**_THEIR_DEFAULTS, **json.loads(path.read_text("utf-8"))}
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{path} is missing or broken ({error}): copy the config.json that lies beside the authors' checkpoint"
        ) from error
    faults = [f"{name} is missing" for name in _SIZES if name not in values]
    faults += [
        f"{name} = {values[name]!r} should be a whole number above {least - 1}"
        for name, least in {**dict.fromkeys(_SIZES, 1), "patch_type_vocab_size": 2}.items()
        if name in values and not (type(values[name]) is int and values[name] >= least)
    ]
    faults += [
        f"{name} = {values[name]!r} should be a number from 0 on, below 1"
        for name in _RATES
        if isinstance(values[name], bool) or not (isinstance(values[name], int | float) and 0 <= values[name] < 1)
    ]
    if values.get("hidden_act", "gelu") not in ("gelu", *_ACTIVATIONS):
        faults.append(f"hidden_act = {values['hidden_act']!r} should be gelu: their code has no other")
    if not faults and values["hidden_size"] % values["num_attention_heads"]:
        faults.append(
            f"hidden_size = {values['hidden_size']} is not a multiple of num_attention_heads = "
            f"{values['num_attention_heads']}"
        )
    if faults:
        raise CheckpointError(f"{path} does not describe a model of the authors' code", faults)
    taken: dict[str, Any] = {ours: values[theirs] for theirs, ours in _SIZES.items()}
    taken |= {name: float(values[name]) for name in _RATES}
    taken |= {name: values[name] for name in _MASKED if name in values}
    return FashionBertConfig(
        **taken, patch_dropout_prob=taken["hidden_dropout_prob"], hidden_act="gelu_new", layer_norm_eps=_EPSILON
    )


def their_config(config: FashionBertConfig) -> dict[str, Any]:
    """Content of the config.json that their code reads."""
    sizes = {theirs: getattr(config, ours) for theirs, ours in _SIZES.items()}
    rates = {name: getattr(config, name) for name in _RATES}
    masked = {name: getattr(config, name, published) for name, published in _MASKED.items()}
    return {**sizes, **rates, **masked, "model_type": "imagebert"}


def not_theirs(config: FashionBertConfig) -> list[str]:
    """What the authors' code could not compute of a model."""
    ours = {
        "contrastive_size": 0,
        "late_interaction_size": 0,
        "bank_size": 0,
        "split_layers": 0,
        "fast_split_layers": 0,
        "side_agreement": False,
        "standardise_features": False,
        "layer_norm_eps": _EPSILON,
    }
    faults = [
        f"{name} = {getattr(config, name)!r} would have to be {value!r}"
        for name, value in ours.items()
        if getattr(config, name) != value
    ]
    if config.hidden_act not in _ACTIVATIONS:
        faults.append(
            f"hidden_act = {config.hidden_act!r} would have to be 'gelu_new', GELU in its tanh form: train with "
            "model.activation=gelu_new, as preset 'released' does"
        )
    return faults
