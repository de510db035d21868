"""A run folder: everything that a trained model needs, in one self-contained place.

::

    RUN/
      model.safetensors          the best model so far and its validation figures; replaced in one rename
      config.json                its shape
      tokenizer.json ...         its WordPieces
      patch_extractor.json       patch network, preprocessing, fingerprint (and patch_network.safetensors)
      processor_config.json      text length, how texts are built from columns
      settings.yaml              every setting of the run
      run.json                   versions, commit, data hash
      training/                  metrics.jsonl, curves.png, checkpoint to go on from
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from fashionbert.config import Settings, settings_from_yaml
from fashionbert.errors import RunError, SettingsError
from fashionbert.files import file_hash, fingerprint, replacing
from fashionbert.model import FashionBertConfig, FashionBertForMatching, FashionBertForPreTraining
from fashionbert.scoring.processor import refuse_other_texts

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
SETTINGS = "settings.yaml"
RUN_RECORD = "run.json"
TRAINING = "training"

Model = TypeVar("Model", bound=FashionBertForMatching)

_FIRST_COMPANIONS = ("tokenizer.json", "patch_extractor.json", "patch_network.safetensors", "processor_config.json")
"""What the first run folders wrote down."""
COMPANIONS = (*_FIRST_COMPANIONS, "tokenizer_config.json", "special_tokens_map.json")
"""Files without which, or with others than which, the weights give other scores."""

UNTAUGHT = "this model has not learnt to score pairs: its run has trained the contrastive task alone so far"
"""What is said where :func:`pairs_were_learnt` is False."""

_REMEDY = "take a whole copy of the run folder"
_CONFIG_HASH = "fashionbert_config"
_TENSOR_HASH = "fashionbert_tensors"
_COMPANION_HASH = "fashionbert_companions"


def save_weights(model: FashionBertForPreTraining, folder: Path, figures: dict[str, float]) -> None:
    """Write the weights in one rename; readers see the old model or the new one, never a mixture.

    Args:
        model: the model to keep.
        folder: the run folder.
        figures: its validation figures, stored with the weights they belong to.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    metadata = {
        "format": "pt",
        _CONFIG_HASH: _shape_hash(model.config),
        _TENSOR_HASH: _content_hash(tensors),
        _COMPANION_HASH: json.dumps(_companions(folder)),
        "figures": json.dumps(figures),
    }
    with replacing(folder / WEIGHTS) as temporary:
        save_file(tensors, temporary, metadata)


def load_model(folder: Path, kind: type[Model] = FashionBertForMatching) -> Model:
    """Load the model of a run folder.

    Args:
        folder: the run folder.
        kind: scoring needs no heads of the masked tasks; ``FashionBertForPreTraining`` has them all.

    Returns:
        The model, float32 on the CPU, not yet in evaluation mode.

    Raises:
        RunError: the folder is missing, half written, edited, or its weights do not fit its configuration.
    """
    config, metadata = _read_config(folder), _read_metadata(folder)
    expected = metadata.get(_CONFIG_HASH)
    if expected is not None and expected != _shape_hash(config):
        raise RunError(f"{folder / CONFIG} was edited: it no longer fits {WEIGHTS}; {_REMEDY}")
    _refuse_other_companions(folder, metadata)
    model = _build(folder, config, kind)
    wanted, found = model.state_dict(), _read_tensors(folder)
    if metadata.get(_TENSOR_HASH) not in (None, _content_hash(found)):
        raise RunError(
            f"{folder / WEIGHTS} was damaged or edited: its numbers are not those that were saved; {_REMEDY}"
        )
    faults = [f"{name} is missing" for name in sorted(wanted.keys() - found.keys())]
    faults += [
        f"{name} has the shape {list(found[name].shape)}, not {list(wanted[name].shape)}"
        for name in sorted(wanted.keys() & found.keys())
        if found[name].shape != wanted[name].shape
    ]
    if faults:
        shown = "; ".join(faults[:8]) + (f"; and {len(faults) - 8} more" if len(faults) > 8 else "")
        raise RunError(f"{folder / WEIGHTS} does not fit {CONFIG}: {shown}. Take a whole copy of the run folder")
    model.load_state_dict({name: found[name].to(torch.float32) for name in wanted})
    return model


def read_figures(folder: Path) -> dict[str, float]:
    """Read the validation figures of the model in a run folder.

    Args:
        folder: the run folder.

    Returns:
        Name -> figure, such as ``recall_at_1``; empty when the weights were saved without any.

    Raises:
        RunError: there is no readable model.
    """
    try:
        return json.loads(_read_metadata(folder).get("figures", "{}"))
    except ValueError as error:
        raise RunError(f"the figures in {folder / WEIGHTS} are broken ({error}); take a whole copy of it") from error


def model_fingerprint(folder: Path) -> str:
    """Hash what a model's scores depend on: weights, shape and the files beside them; not where the folder lies.

    Args:
        folder: the run folder.

    Returns:
        16 hexadecimal digits.

    Raises:
        RunError: there is no readable model.
    """
    metadata = _read_metadata(folder)
    weights = metadata.get(_TENSOR_HASH) or _content_hash(_read_tensors(folder))
    return fingerprint([weights, _shape_hash(_read_config(folder)), _companions(folder)])


def pairs_were_learnt(folder: Path) -> bool:
    """Whether the model of a folder has more than the contrastive task behind it; one without figures is taken so."""
    systems = {name.split(".")[0] for name in read_figures(folder)}
    return "pair" in systems or "vectors" not in systems


def read_settings(folder: Path) -> Settings:
    """Read the settings of a run.

    Args:
        folder: the run folder.

    Returns:
        The settings it was trained with.

    Raises:
        RunError: they are missing, edited into nonsense, or build other texts than the model has learnt from.
    """
    try:
        settings = settings_from_yaml(folder / SETTINGS)
    except SettingsError as error:
        raise RunError(f"{folder} is no run folder, or an edited one: {error}") from error
    refuse_other_texts(folder, settings.catalogue)
    return settings


def _shape_hash(config: FashionBertConfig) -> str:
    """Hash what differs from the defaults, so that a field that a later version adds changes no older hash."""
    default = FashionBertConfig()
    fields = sorted(FashionBertConfig.shape_fields())
    changed = [name for name in fields if getattr(config, name) != getattr(default, name)]
    return fingerprint({name: getattr(config, name) for name in changed})


def _content_hash(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {list(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]


def _companions(folder: Path) -> dict[str, str | None]:
    """Hash of each file, None where there is none; nothing for weights that stand alone."""
    found = {name: file_hash(folder / name) if (folder / name).exists() else None for name in COMPANIONS}
    return found if any(found.values()) else {}


def _refuse_other_companions(folder: Path, metadata: Mapping[str, str]) -> None:
    """Refuse a folder in which a file beside the weights is another one than when they were saved.

    A missing file is left to the part that reads it, which knows what it is for.
    """
    saved: dict[str, str | None] = json.loads(metadata.get(_COMPANION_HASH, "{}"))
    if saved:  # the first run folders name no file that was not there, and know of four
        saved = {**dict.fromkeys(_FIRST_COMPANIONS), **saved}
    found = _companions(folder)
    others = [name for name, expected in saved.items() if found.get(name) not in (None, expected)]
    if others:
        raise RunError(f"{folder}: {', '.join(sorted(others))} changed since the model was saved; {_REMEDY}")


def _read_config(folder: Path) -> FashionBertConfig:
    if not folder.is_dir():
        raise RunError(f"there is no folder {folder}: name a run folder that `fashionbert train` wrote")
    try:
        values: dict[str, Any] = json.loads((folder / CONFIG).read_text("utf-8"))
        kind = values.get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise RunError(f"{folder / CONFIG} is missing or broken ({error}): {folder} is no run folder") from error
    if kind != FashionBertConfig.model_type:
        raise RunError(f"{folder / CONFIG} describes a {kind!r} model, not a 'fashionbert' one")
    try:
        return FashionBertConfig.from_dict(values)
    except (StrictDataclassError, ValueError) as error:
        raise RunError(f"{folder / CONFIG} was edited ({error}): take a whole copy of the run folder") from error


def _build(folder: Path, config: FashionBertConfig, kind: type[Model]) -> Model:
    """Build the model; torch and transformers refuse impossible values each with an error of its own."""
    try:
        return kind(config)
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise RunError(f"no model can be built from {folder / CONFIG} ({error!r:.300}): {_REMEDY}") from error


def _read_metadata(folder: Path) -> dict[str, str]:
    with _opened(folder) as file:
        return file.metadata() or {}


def _read_tensors(folder: Path) -> dict[str, Tensor]:
    with _opened(folder) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)


def _opened(folder: Path) -> Any:
    path = folder / WEIGHTS
    if not path.exists():
        raise RunError(f"{folder} holds no {WEIGHTS}: its training has not validated a model yet; go on with it first")
    try:
        return safe_open(path, "pt")
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} is broken ({error}): take a whole copy of the run folder") from error
