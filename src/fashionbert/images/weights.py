"""Weights of a patch network in a local file: read, compared tensor by tensor, hashed, written."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm.models
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from fashionbert.errors import SettingsError
from fashionbert.files import replacing

COUNTER = "num_batches_tracked"
"""Batch normalisation counts its training batches; the count never reaches a feature and old files lack it."""


def load_weights(model: nn.Module, path: Path, classifier: tuple[str, ...] = ()) -> None:
    """Fill a network from a safetensors or ``.pth`` file whose tensors must be exactly the network's.

    Pickled files are read with ``weights_only``, so that they cannot run code.

    Args:
        model: a network without its classifier.
        path: the file.
        classifier: modules that the file may have beyond the network.

    Raises:
        SettingsError: the file cannot be read, or with every missing, extra or misshaped tensor.
    """
    if not path.is_file():
        raise SettingsError(
            f"images.weights = {str(path)!r}: there is no such file", ["give the path of a weights file"]
        )
    try:
        found = timm.models.load_state_dict(str(path), weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # every file format has errors of its own
        raise SettingsError(f"images.weights = {str(path)!r} cannot be read as weights", [str(error)]) from error
    prefixes = tuple(f"{name}." for name in classifier)
    wanted = model.state_dict()
    kept = {name: tensor for name, tensor in found.items() if name in wanted or not name.startswith(prefixes)}
    if faults := _differences(wanted, kept):
        title = f"images.weights = {str(path)!r} does not fit the network: check images.network and network_options"
        raise SettingsError(title, faults)
    model.load_state_dict(wanted | kept)


def _differences(wanted: Mapping[str, Tensor], found: Mapping[str, Any]) -> list[str]:
    missing = [name for name in wanted if name not in found and not name.endswith(COUNTER)]
    extra = [name for name in found if name not in wanted]
    misshaped = [
        f"{name} has shape {list(found[name].shape)}, not {list(wanted[name].shape)}"
        for name in wanted
        if name in found and found[name].shape != wanted[name].shape
    ]
    return [
        *(f"{name} is missing" for name in missing),
        *(f"{name} is not the network's" for name in extra),
        *misshaped,
    ]


def hash_weights(model: nn.Module) -> str:
    """Hash names, types, shapes and bytes of all tensors: 16 hexadecimal digits, whatever file they came from."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if name.endswith(COUNTER):
            continue
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]


def save_weights(model: nn.Module, path: Path) -> None:
    """Write a network's tensors as safetensors, whole or not at all."""
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in model.state_dict().items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary)
