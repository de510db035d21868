"""The numbers that a forward pass computes with: float32, or bfloat16 where the device has instructions for it."""

import warnings
from functools import cache
from typing import Literal

import torch

from fashionbert.types import Precision

_INSTRUCTIONS = ("avx512_bf16", "amx_bf16")
_INT8_INSTRUCTIONS = ("avx512_vnni", "avx_vnni", "avx2_vnni", "amx_int8")


def autocast(precision: Precision, device: str | torch.device) -> torch.autocast:
    """Compute a block in the precision that :func:`resolved` gives.

    Args:
        precision: as a setting says it.
        device: where the tensors of the block are.

    Returns:
        A context manager.
    """
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=resolved(precision, kind) == "bf16")


def resolved(precision: Precision, device: str | torch.device) -> Literal["bf16", "fp32"]:
    """Say what a precision means on a device.

    A processor without the instructions computes bfloat16 number by number: a matrix product on two cores of an EPYC of
    2021 took 300 times as long as in float32 (docs/log.md, 2026-11-26). Whoever asks for that by name is warned.

    Args:
        precision: as a setting says it.
        device: where it will be computed.

    Returns:
        ``auto`` as ``bf16`` where the device has instructions for it, else as ``fp32``; others as they are.
    """
    kind = torch.device(device).type
    if precision == "fp32" or has_bf16(kind):
        return "fp32" if precision == "fp32" else "bf16"
    if precision == "auto":
        return "fp32"
    warnings.warn(
        f"precision = 'bf16', but this {kind} has no instructions for it and may take hundreds of times as long as in "
        "fp32; say 'auto' to use bf16 only where there are",
        stacklevel=3,
    )
    return "bf16"


@cache
def has_bf16(kind: str) -> bool:
    """Say whether a device multiplies matrices of bfloat16 faster than of float32.

    Args:
        kind: type of a torch device.

    Returns:
        For GPUs of NVIDIA and AMD what torch says of them; for a CPU whether AVX-512 or AMX has it (torch tells since
        2.10; older ones: False); False for all others, which nobody has measured.
    """
    if kind == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and _cpu_has(_INSTRUCTIONS)


@cache
def has_int8(kind: str) -> bool:
    """Say whether a device multiplies matrices of 8-bit numbers faster than of float32, by operators that torch has.

    Args:
        kind: type of a torch device.

    Returns:
        For a CPU whether it has the instructions and torch was built with oneDNN; False for all others.
    """
    return kind == "cpu" and hasattr(torch.ops.onednn, "qlinear_pointwise") and _cpu_has(_INT8_INSTRUCTIONS)


@cache
def packs_weights(kind: str) -> bool:
    """Say whether a device has :class:`~fashionbert.model.packed.PackedLinear`, and is faster with it.

    Args:
        kind: type of a torch device.

    Returns:
        For a CPU with AVX-512 whether torch was built with oneDNN; False for all others, which nobody has measured.
    """
    return kind == "cpu" and hasattr(torch.ops.mkldnn, "_linear_pointwise") and _cpu_has(("avx512_f",))


def _cpu_has(instructions: tuple[str, ...]) -> bool:
    if not hasattr(torch.cpu, "get_capabilities"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(bool(capabilities.get(name)) for name in instructions)
