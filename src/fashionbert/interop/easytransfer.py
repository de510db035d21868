"""Checkpoints of the authors' code, to and fro.

The shape is read by ``easytransfer_config.py``, the variables' names are in ``easytransfer_names.py``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fashionbert.errors import CheckpointError
from fashionbert.files import only_writer, write_json, write_text
from fashionbert.interop.easytransfer_config import not_theirs, read_config, their_config
from fashionbert.interop.easytransfer_names import Variable, variables
from fashionbert.interop.tensor_bundle import TensorBundle, find_bundle, write_bundle
from fashionbert.model import FashionBertConfig, FashionBertForPreTraining
from fashionbert.scoring.run_folder import CONFIG, load_model, save_weights
from fashionbert.text import load_tokenizer

VOCABULARY = "vocab.txt"
_SCOPE = "image_bert_pre_trained_model/"
_ANCHOR = "bert/embeddings/word_embeddings"
_PARTS = ("bert/", "cls/")
_IMPORTED = ("config.json", "model.safetensors", VOCABULARY)
_EXPORTED = ("config.json", "checkpoint", "model.ckpt.index", "model.ckpt.data-00000-of-00001", VOCABULARY)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the variables of a checkpoint.

    Attributes:
        prefix: of the checkpoint's files.
        scope: what stood before the names of the model's variables; may be empty.
        taken: variables that are in the model now.
        optimizer: what an optimizer kept beside them; skipped.
        others: variables that are no part of a model, such as ``global_step``; skipped.
    """

    prefix: Path
    scope: str
    taken: tuple[str, ...]
    optimizer: tuple[str, ...]
    others: tuple[str, ...]


def import_checkpoint(source: Path, folder: Path) -> Imported:
    """Turn a checkpoint of the authors' code into a folder that ``from_pretrained`` loads.

    Args:
        source: folder with the checkpoint and its config.json, or the prefix of the checkpoint's files.
        folder: where config.json and model.safetensors go; new, empty, or of an earlier import.

    Returns:
        What was taken and what was skipped.

    Raises:
        CheckpointError: the checkpoint is not whole, is of another architecture, or does not fit its config.json, all
            faults listed; or ``folder`` holds something else.
        FolderInUseError: another process writes there.
        MissingExtraError: the package that computes check sums is not installed.
    """
    bundle = TensorBundle(find_bundle(source))
    beside = bundle.prefix.parent
    _refuse_other_files(folder, beside, _IMPORTED)
    config = read_config(beside / CONFIG)
    wanted = {variable.theirs: variable for variable in variables(config)}
    model = FashionBertForPreTraining(config)
    state = model.state_dict()
    scope = _scope_of(bundle)
    own, optimizer, others = _sorted_names(bundle, scope, wanted)
    faults = _faults_of_shape(own, wanted, state)
    if not faults:
        faults = _take(bundle, scope, wanted, state)
    if faults:
        raise CheckpointError(
            f"the checkpoint {bundle.prefix} is not the model that {beside / CONFIG} describes", sorted(faults)
        )
    with only_writer(folder):
        model.config.architectures = [type(model).__name__]
        write_text(folder / CONFIG, model.config.to_json_string())
        if (beside / VOCABULARY).is_file():
            write_text(folder / VOCABULARY, (beside / VOCABULARY).read_text("utf-8"))
        save_weights(model, folder, {})
    return Imported(bundle.prefix, scope, tuple(scope + name for name in own), optimizer, others)


def export_checkpoint(source: Path, folder: Path) -> Path:
    """Write a model as a checkpoint that the authors' code restores, with config.json and, where known, vocab.txt.

    Args:
        source: run folder, or what :func:`import_checkpoint` made.
        folder: where the files go; new, empty, or of an earlier export.

    Returns:
        The checkpoint's prefix.

    Raises:
        RunError: there is no whole model with all heads in ``source``.
        CheckpointError: the model has parts that their code does not have, all of them listed; or ``folder`` holds
            something else.
        FolderInUseError: another process writes there.
        MissingExtraError: the package that computes check sums is not installed.
    """
    model = load_model(source, FashionBertForPreTraining)
    config: FashionBertConfig = model.config
    if faults := not_theirs(config):
        raise CheckpointError(f"the model of {source} cannot run in the authors' code", faults)
    _refuse_other_files(folder, source, _EXPORTED)
    state = model.state_dict()
    values = {
        _SCOPE + each.theirs: np.ascontiguousarray(_turned(state[each.ours].float().numpy(), each))
        for each in variables(config)
    }
    words = _vocabulary(source)
    with only_writer(folder):
        write_json(folder / CONFIG, their_config(config))
        if words is not None:
            write_text(folder / VOCABULARY, words)
        write_bundle(folder / "model.ckpt", values)
    return folder / "model.ckpt"


def _refuse_other_files(folder: Path, source: Path, ours: Sequence[str]) -> None:
    """Refuse a folder whose files a conversion would mix with its own or replace."""
    if folder.exists() and folder.resolve() == source.resolve():
        raise CheckpointError(f"{folder} is where the model comes from: give another folder")
    strange = sorted(path.name for path in folder.iterdir() if path.name not in ours) if folder.is_dir() else []
    if strange:
        raise CheckpointError(f"{folder} holds other files ({', '.join(strange[:5])}): give a new or empty folder")


def _sorted_names(
    bundle: TensorBundle, scope: str, wanted: Mapping[str, Variable]
) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...], tuple[str, ...]]:
    """Sort variables into the model's (shapes by name without scope), an optimizer's, and others'.

    A slot of an optimizer has the name of a weight and one word more. All else under the scope counts as the model's.
    """
    own: dict[str, tuple[int, ...]] = {}
    optimizer, others = [], []
    parts = _PARTS if scope == "" else ("",)
    for name, shape in bundle.shapes.items():
        bare = name.removeprefix(scope)
        if not name.startswith(scope) or not bare.startswith(parts):
            others.append(name)
        elif bare.rpartition("/")[0] in wanted:
            optimizer.append(name)
        else:
            own[bare] = shape
    return own, tuple(optimizer), tuple(others)


def _faults_of_shape(
    own: Mapping[str, tuple[int, ...]], wanted: Mapping[str, Variable], state: Mapping[str, torch.Tensor]
) -> list[str]:
    faults = [f"{name} is missing" for name in wanted if name not in own]
    faults += [f"{name} {shape} is not part of this architecture" for name, shape in own.items() if name not in wanted]
    for name in wanted.keys() & own.keys():
        shape = tuple(state[wanted[name].ours].shape)
        expected = shape[::-1] if wanted[name].turned else shape
        if own[name] != expected:
            faults.append(f"{name} has the shape {own[name]}, {CONFIG} asks for {expected}")
    return faults


def _take(
    bundle: TensorBundle, scope: str, wanted: Mapping[str, Variable], state: Mapping[str, torch.Tensor]
) -> list[str]:
    """Copy values into the model; return what was wrong with them."""
    faults = []
    for name, variable in wanted.items():
        try:
            value = bundle[scope + name]
        except CheckpointError as error:
            faults.append(str(error))
            continue
        if not np.issubdtype(value.dtype, np.floating):
            faults.append(f"{name} holds {value.dtype}, should be floating point")
        elif not np.isfinite(value).all():
            faults.append(f"{name} holds NaN or infinity")
        else:
            state[variable.ours].copy_(torch.from_numpy(np.array(_turned(value, variable), np.float32)))
    return faults


def _vocabulary(source: Path) -> str | None:
    """Content of vocab.txt, a WordPiece a line, as far as the folder knows it."""
    if (source / VOCABULARY).is_file():
        return (source / VOCABULARY).read_text("utf-8")
    if not (source / "tokenizer.json").is_file():
        return None
    numbers = load_tokenizer(source).get_vocab()
    return "".join(f"{word}\n" for word in sorted(numbers, key=numbers.__getitem__))


def _scope_of(bundle: TensorBundle) -> str:
    scopes = {name.removesuffix(_ANCHOR) for name in bundle.shapes if name.endswith(_ANCHOR)}
    if len(scopes) != 1:
        raise CheckpointError(
            f"{bundle.prefix} is no checkpoint of the authors' model: it should have one variable that ends in "
            f"{_ANCHOR!r}, it has {len(scopes)}; its first variables are {', '.join(list(bundle.shapes)[:5])}"
        )
    return scopes.pop()


def _turned(value: NDArray[Any], variable: Variable) -> NDArray[Any]:
    return value.T if variable.turned else value
