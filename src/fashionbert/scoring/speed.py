"""How one model scores: as it was trained, in a quicker arithmetic, or with its sides apart in more layers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from fashionbert.arithmetic import autocast, has_bf16, has_int8, packs_weights, resolved
from fashionbert.errors import SettingsError
from fashionbert.model import FashionBertConfig, FashionBertForMatching
from fashionbert.model.int8 import Int8Linear
from fashionbert.model.linears import RemadeLinear, with_linears
from fashionbert.model.packed import PackedLinear
from fashionbert.types import Precision, Speed

Numbers = Literal["bf16", "fp32", "int8"]


@dataclass(frozen=True, slots=True)
class Pace:
    """A model with the way in which it scores.

    Attributes:
        model: in evaluation mode on its device; a copy of the given one where linear layers were made anew.
        device: where it runs.
        numbers: what its encoder layers multiply.
        split_layers: lower layers in which sides are apart.
    """

    model: FashionBertForMatching
    device: torch.device
    numbers: Numbers
    split_layers: int

    @property
    def joins_in_one_layer(self) -> bool:
        """Whether the last layer alone joins the sides."""
        return self.split_layers == self.model.config.num_hidden_layers - 1

    @contextmanager
    def passing(self) -> Iterator[None]:
        """The arithmetic and the form of a forward pass, without graph."""
        precision = "bf16" if self.numbers == "bf16" else "fp32"
        form = self.model.fashionbert.split_at(self.split_layers)
        with torch.inference_mode(), autocast(precision, self.device), form:
            yield


def paced(model: FashionBertForMatching, device: torch.device, precision: Precision, speed: Speed) -> Pace:
    """Bring a model to its device and to a speed.

    Args:
        model: put into evaluation mode.
        device: where it will run.
        precision: its arithmetic; ``fast`` has its own.
        speed: as of :data:`~fashionbert.types.Speed`; ``fast`` is bf16, else int8, else float32.

    Returns:
        The model, ready to score.

    Raises:
        ValueError: there is no such precision or speed.
        SettingsError: the model has learnt no split form.
    """
    for name, value, kinds in (("precision", precision, Precision), ("speed", speed, Speed)):
        if value not in get_args(kinds):
            raise ValueError(f"{name} = {value!r} should be one of {', '.join(get_args(kinds))}")
    split_layers = _split_layers(model.config, speed)
    numbers: Numbers
    in_float32 = model.dtype == torch.float32  # a model that was brought to another is left in it
    if speed == "fast":
        numbers = "bf16" if has_bf16(device.type) else "int8" if has_int8(device.type) and in_float32 else "fp32"
    else:
        numbers = resolved(precision, device)
    model.eval().to(device)  # pyright: ignore[reportArgumentType] (transformers wraps nn.Module.to)
    make = _linears(numbers, device) if in_float32 else None
    with model.fashionbert.split_at(split_layers):
        ready = model if make is None else with_linears(model, make)
    return Pace(ready, device, numbers, split_layers)


def _linears(numbers: Numbers, device: torch.device) -> type[RemadeLinear] | None:
    if numbers == "int8":
        return Int8Linear
    return PackedLinear if numbers == "fp32" and packs_weights(device.type) else None


def speeds_of(config: FashionBertConfig, device: str | torch.device) -> list[Speed]:
    """Name the speeds at which a model has scores of their own on a device.

    Args:
        config: of the model.
        device: where it would run.

    Returns:
        ``exact``; ``fast`` where the device has a quicker arithmetic; ``split`` where the model has a second form.
    """
    kind = torch.device(device).type
    fast: list[Speed] = ["fast"] if has_bf16(kind) or has_int8(kind) else []
    split: list[Speed] = ["split"] if config.fast_split_layers else []
    return ["exact", *fast, *split]


def _split_layers(config: FashionBertConfig, speed: Speed) -> int:
    if speed != "split" or config.fast_split_layers:
        return config.fast_split_layers if speed == "split" else config.split_layers
    if config.split_layers:
        return config.split_layers
    raise SettingsError(
        "speed = 'split' is not for this model: in all of its layers words and patches see each other",
        ["train one with model.split_layers, or with model.fast_split_layers for both forms in one"],
    )
