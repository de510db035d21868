"""Checkpoints of the authors' code, to and fro.

Their model, of which no part has another form here: GELU in its tanh form, LayerNorm with an epsilon of 1e-12, class 1
= match, one segment (the last) and a position table of their own for patches.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fashionbert.errors import CheckpointError
from fashionbert.files import write_json, write_text
from fashionbert.interop.easytransfer_names import OPTIMIZER, Variable, variables
from fashionbert.interop.tensor_bundle import TensorBundle, find_bundle, write_bundle
from fashionbert.model import FashionBertConfig, FashionBertForPreTraining
from fashionbert.scoring.run_folder import CONFIG, save_weights

_SCOPE = "image_bert_pre_trained_model/"
_ANCHOR = "bert/embeddings/word_embeddings"
_PARTS = ("bert/", "cls/")
_ACTIVATIONS = ("gelu_new", "gelu_pytorch_tanh")
_EPSILON = 1e-12
_FIELDS = {
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
_RATES = {
    "hidden_dropout_prob": "hidden_dropout_prob",
    "attention_probs_dropout_prob": "attention_probs_dropout_prob",
    "initializer_range": "initializer_range",
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the variables of a checkpoint.

    Attributes:
        scope: what stood before the names of the model's variables; may be empty.
        taken: variables that are in the model now.
        optimizer: what an optimizer kept beside them; skipped.
        others: variables that are no part of a model, such as ``global_step``; skipped.
    """

    scope: str
    taken: tuple[str, ...]
    optimizer: tuple[str, ...]
    others: tuple[str, ...]


def import_checkpoint(source: Path, folder: Path) -> Imported:
    """Turn a checkpoint of the authors' code into a folder that ``from_pretrained`` loads.

    Args:
        source: folder with the checkpoint and its config.json.
        folder: where config.json and model.safetensors go.

    Returns:
        What was taken and what was skipped.

    Raises:
        CheckpointError: the checkpoint is not whole, is of another architecture, or does not fit its config.json;
            every fault is listed.
        MissingExtraError: the package that computes check sums is not installed.
    """
    bundle = TensorBundle(find_bundle(source))
    config = _read_config(source / CONFIG)
    wanted = {variable.theirs: variable for variable in variables(config)}
    model = FashionBertForPreTraining(config)
    state = model.state_dict()
    scope = _scope_of(bundle)
    optimizer = tuple(name for name in bundle.shapes if name.endswith(OPTIMIZER))
    parts = tuple(scope + part for part in _PARTS)
    own = tuple(name for name in bundle.shapes if name.startswith(parts) and name not in optimizer)
    shapes = {name.removeprefix(scope): bundle.shapes[name] for name in own}
    faults = [f"{name} is missing" for name in wanted if name not in shapes]
    faults += [
        f"{name} {shape} is not part of this architecture" for name, shape in shapes.items() if name not in wanted
    ]
    for name in wanted.keys() & shapes.keys():
        expected = _their_shape(wanted[name], state)
        if shapes[name] != expected:
            faults.append(f"{name} has the shape {shapes[name]}, {CONFIG} asks for {expected}")
    if faults:
        raise CheckpointError(
            f"the checkpoint {bundle.prefix} is not the model that {source / CONFIG} describes", sorted(faults)
        )
    for name, variable in wanted.items():
        value = bundle[scope + name]
        if not np.isfinite(value.astype(np.float32)).all():
            faults.append(f"{name} holds NaN or infinity")
        state[variable.ours].copy_(torch.from_numpy(np.array(_turned(value, variable), np.float32)))
    if faults:
        raise CheckpointError(f"the checkpoint {bundle.prefix} cannot be scored with", faults)
    folder.mkdir(parents=True, exist_ok=True)
    model.config.architectures = [type(model).__name__]
    write_text(folder / CONFIG, model.config.to_json_string())
    save_weights(model, folder, {})
    return Imported(scope, own, optimizer, tuple(name for name in bundle.shapes if name not in {*own, *optimizer}))


def export_checkpoint(source: Path, folder: Path) -> Path:
    """Write a model as a checkpoint that the authors' code restores.

    Args:
        source: run folder or any folder that ``FashionBertForPreTraining`` loads.
        folder: where checkpoint and config.json go.

    Returns:
        The checkpoint's prefix.

    Raises:
        CheckpointError: the model has parts that their code does not have; all of them are listed.
        MissingExtraError: the package that computes check sums is not installed.
    """
    try:
        model = FashionBertForPreTraining.from_pretrained(source)
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{source} holds no FashionBERT that can be loaded ({error})") from error
    config: FashionBertConfig = model.config
    if faults := _not_theirs(config):
        raise CheckpointError(f"the model of {source} cannot run in the authors' code", faults)
    state = model.state_dict()
    values = {
        _SCOPE + each.theirs: np.ascontiguousarray(_turned(state[each.ours].float().numpy(), each))
        for each in variables(config)
    }
    prefix = folder / "model.ckpt"
    folder.mkdir(parents=True, exist_ok=True)
    fields = {theirs: getattr(config, ours) for theirs, ours in (_FIELDS | _RATES).items()}
    write_json(folder / CONFIG, {**fields, "model_type": "imagebert"})
    write_bundle(prefix, values)
    return prefix


def _read_config(path: Path) -> FashionBertConfig:
    try:
        values: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is missing or broken ({error}): copy the config.json that lies beside the authors' checkpoint"
        ) from error
    faults = [f"{name} is missing" for name in (*_FIELDS, *_RATES) if name not in values]
    faults += [
        f"{name} = {values[name]!r} should be a whole number above 0"
        for name in _FIELDS
        if name in values and not (type(values[name]) is int and values[name] > 0)
    ]
    faults += [
        f"{name} = {values[name]!r} should be a number from 0 to 1"
        for name in _RATES
        if name in values and not (isinstance(values[name], int | float) and 0 <= values[name] < 1)
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
    taken: dict[str, Any] = {ours: values[theirs] for theirs, ours in (_FIELDS | _RATES).items()}
    return FashionBertConfig(
        **taken,
        patch_dropout_prob=values["hidden_dropout_prob"],
        hidden_act="gelu_new",
        layer_norm_eps=_EPSILON,
    )


def _scope_of(bundle: TensorBundle) -> str:
    scopes = {name.removesuffix(_ANCHOR) for name in bundle.shapes if name.endswith(_ANCHOR)}
    if len(scopes) != 1:
        raise CheckpointError(
            f"{bundle.prefix} is no checkpoint of the authors' model: it should have one variable that ends in "
            f"{_ANCHOR!r}, it has {len(scopes)}; its first variables are {', '.join(list(bundle.shapes)[:5])}"
        )
    return scopes.pop()


def _their_shape(variable: Variable, state: Mapping[str, torch.Tensor]) -> tuple[int, ...]:
    shape = tuple(state[variable.ours].shape)
    return shape[::-1] if variable.turned else shape


def _turned(value: NDArray[Any], variable: Variable) -> NDArray[Any]:
    return value.T if variable.turned else value


def _not_theirs(config: FashionBertConfig) -> list[str]:
    """What the authors' code could not compute of a model."""
    ours = {
        "contrastive_size": 0,
        "late_interaction_size": 0,
        "split_layers": 0,
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
