"""Checkpoints that a run goes on from as if it had never stopped.

What is random in a step is drawn from generators seeded by the run's seed and the number of the step, and the learning
rate is a function of the step, so a checkpoint holds tensors and a few numbers only. It is written to a temporary
folder that is renamed when whole: a folder ``checkpoint-*`` is always complete.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from fashionbert.errors import RunError
from fashionbert.files import file_hash, fingerprint
from fashionbert.training.queue import VectorQueue

_PREFIX = "checkpoint-"
_HASHES, _HASH = "hashes", "hash"


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a run is.

    Attributes:
        step: optimizer steps taken.
        best: best validation R@1 so far, -1 before the first validation.
        since_best: validations since then.
        pairs_begun: whether ``best`` is the pair model's figure; before that it is the vectors'.
        finished: whether the run has come to its end.
    """

    step: int = 0
    best: float = -1.0
    since_best: int = 0
    pairs_begun: bool = False
    finished: bool = False


def save_checkpoint(
    folder: Path, module: nn.Module, optimizer: Optimizer, queues: Sequence[VectorQueue], progress: Progress
) -> None:
    """Write a checkpoint and remove the older ones.

    Args:
        folder: the run's training folder.
        module: everything that is learnt.
        optimizer: its state.
        queues: past vectors of each process.
        progress: how far the run is.
    """
    target = folder / f"{_PREFIX}{progress.step:08d}"
    temporary = folder / f".{target.name}.part"
    for leftover in folder.glob(f".{_PREFIX}*.part"):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary.mkdir(parents=True)
    save_file(_detached(module.state_dict()), temporary / "module.safetensors")
    save_file(_detached(_optimizer_tensors(optimizer)), temporary / "optimizer.safetensors")
    save_file(_detached(_queue_tensors(queues)), temporary / "queue.safetensors")
    record = {**asdict(progress), _HASHES: {file.name: file_hash(file) for file in temporary.iterdir()}}
    (temporary / "progress.json").write_text(json.dumps({**record, _HASH: fingerprint(record)}), "utf-8")
    for file in temporary.iterdir():
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)
    for other in _found(folder):
        if other != target:
            shutil.rmtree(other)


def load_checkpoint(
    folder: Path, module: nn.Module, optimizer: Optimizer, device: torch.device, process: int = 0
) -> tuple[Progress, VectorQueue] | None:
    """Load the newest checkpoint into module and optimizer.

    Args:
        folder: the run's training folder.
        module: takes the weights.
        optimizer: takes its state.
        device: where the queue lives.
        process: whose queue is wanted; in a run that goes on with more processes, new ones share the old queues.

    Returns:
        How far the run is and the queue; None when there is no checkpoint.

    Raises:
        RunError: the checkpoint was edited or is of another model.
    """
    checkpoints = _found(folder)
    if not checkpoints:
        return None
    newest = checkpoints[-1]
    try:
        progress = _read_progress(newest)
        module.load_state_dict(load_file(newest / "module.safetensors"))
        _restore_optimizer(optimizer, load_file(newest / "optimizer.safetensors"))
        queue = _queue_of(load_file(newest / "queue.safetensors"), process).to(device)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise RunError(
            f"the checkpoint {newest} is broken or of another model ({str(error).splitlines()[0]}): "
            "remove it to start the run again, or train into another folder"
        ) from error
    return progress, queue


def _read_progress(checkpoint: Path) -> Progress:
    """Read how far the run is; ValueError where a file is not the one that was written."""
    record = json.loads((checkpoint / "progress.json").read_text("utf-8"))
    hashes: dict[str, str] = record[_HASHES]
    edited = [name for name, expected in hashes.items() if file_hash(checkpoint / name) != expected]
    if record.pop(_HASH) != fingerprint(record):
        edited.append("progress.json")
    if edited:
        raise ValueError(f"{', '.join(edited)} edited")
    del record[_HASHES]
    return Progress(**record)


def _found(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_PREFIX}*"))


def _detached(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def _queue_tensors(queues: Sequence[VectorQueue]) -> dict[str, Tensor]:
    return {
        f"{process}.{field.name}": getattr(queue, field.name)
        for process, queue in enumerate(queues)
        for field in fields(queue)
    }


def _queue_of(tensors: dict[str, Tensor], process: int) -> VectorQueue:
    saved = len(tensors) // len(fields(VectorQueue))
    return VectorQueue(**{field.name: tensors[f"{process % saved}.{field.name}"] for field in fields(VectorQueue)})


def _optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    states: dict[int, dict[str, Tensor]] = optimizer.state_dict()["state"]
    return {f"{number}.{name}": value for number, state in states.items() for name, value in state.items()}


def _restore_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    whole = optimizer.state_dict()
    optimizer.load_state_dict({**whole, "state": state})
