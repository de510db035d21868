"""bfloat16 where there are instructions for it, and only there."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from fashionbert.arithmetic import autocast, has_bf16, resolved
from fashionbert.types import Precision

SetCapabilities = Callable[..., None]


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> Iterator[SetCapabilities]:
    """A processor that has the instructions named, and none else."""

    def set_capabilities(**capabilities: Any) -> None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
        has_bf16.cache_clear()

    yield set_capabilities
    has_bf16.cache_clear()


@pytest.mark.parametrize(
    ("capabilities", "found"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({"avx2": True, "avx512_f": True}, False),
        ({"avx2": True, "avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"architecture": "arm64", "bf16": True}, False),
    ],
)
def test_a_cpu_has_it_by_its_instructions(processor: SetCapabilities, capabilities: Any, found: bool) -> None:
    processor(**capabilities)
    assert has_bf16("cpu") is found
    assert resolved("auto", "cpu") == ("bf16" if found else "fp32")
    assert autocast("auto", "cpu")._enabled is found  # pyright: ignore[reportPrivateUsage]


def test_a_torch_that_cannot_tell_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    has_bf16.cache_clear()
    assert not has_bf16("cpu")
    has_bf16.cache_clear()


def test_a_gpu_is_asked_for_real_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation)
    has_bf16.cache_clear()
    assert not has_bf16("cuda")
    has_bf16.cache_clear()


def test_what_nobody_measured_is_float32() -> None:
    assert resolved("auto", "mps") == "fp32"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_said_by_name_is_done(processor: SetCapabilities, precision: Precision) -> None:
    processor(avx512_bf16=True)
    assert resolved(precision, "cpu") == precision
    with autocast(precision, torch.device("cpu")):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]


def test_bf16_by_name_where_there_is_none_is_done_with_a_warning(processor: SetCapabilities) -> None:
    processor(avx2=True)
    with pytest.warns(UserWarning, match="precision = 'bf16'.*hundreds of times.*'auto'"):
        assert resolved("bf16", "cpu") == "bf16"
