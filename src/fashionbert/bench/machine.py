"""What the machine can do at most: the rate of its largest matrix products, in each arithmetic that it has."""

from collections.abc import Callable
from time import perf_counter

import torch

from fashionbert.arithmetic import has_bf16, has_int8

_SIDES = (1024, 2048, 3072)
_REPETITIONS = 3


def gemm_rates(device: str = "cpu") -> dict[str, float]:
    """Measure the fastest square matrix products.

    Args:
        device: where.

    Returns:
        Operations a second, two for each product of numbers, by ``fp32``, ``bf16`` and ``int8``; what the device has
        no instructions for is left out.
    """
    rates = {"fp32": _best(device, _matmul(torch.float32))}
    if has_bf16(torch.device(device).type):
        rates["bf16"] = _best(device, _matmul(torch.bfloat16))
    if has_int8(torch.device(device).type):
        rates["int8"] = _best(device, _int8_product)
    return rates


def _best(device: str, product: Callable[[int, str], Callable[[], object]]) -> float:
    return max(_rate(side, device, product(side, device)) for side in _SIDES)


def _rate(side: int, device: str, work: Callable[[], object]) -> float:
    shortest = float("inf")
    for _ in range(_REPETITIONS + 1):
        started = perf_counter()
        work()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        shortest = min(shortest, perf_counter() - started)
    return 2 * side**3 / shortest


def _matmul(dtype: torch.dtype) -> Callable[[int, str], Callable[[], object]]:
    def product(side: int, device: str) -> Callable[[], object]:
        one, other = (torch.ones(side, side, dtype=dtype, device=device) for _ in range(2))
        return lambda: one @ other

    return product


def _int8_product(side: int, device: str) -> Callable[[], object]:
    """Whole numbers of 8 bits, added up in 32."""
    one, other = (torch.ones(side, side, dtype=torch.int8, device=device) for _ in range(2))
    return lambda: torch._int_mm(one, other)  # pyright: ignore[reportPrivateImportUsage]
