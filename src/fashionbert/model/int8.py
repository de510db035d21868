"""Linear layers that multiply 8-bit numbers, four times as many a second where the processor has VNNI.

Weights are rounded once, each output by its own scale; what comes in is rounded in every pass, by its own range. Sums
are exact, and between the products everything is float32: attention, LayerNorm, residuals. Products, bias and GELU are
one call of oneDNN, which torch brings.

Letters: N rows, I inputs, O outputs.
"""

import torch
from torch import Tensor, nn

_LARGEST = 127
_STEPS = 255
_HALF = 0.499
_SMALLEST_RANGE = 1e-12


class Int8Linear(nn.Module):
    """A linear layer of 8-bit weights, with GELU behind it where asked for."""

    def __init__(self, linear: nn.Linear, *, gelu: bool = False) -> None:
        """Round the weights of a layer.

        Args:
            linear: the layer, in float32 on a CPU that :func:`fashionbert.arithmetic.has_int8` says yes of; its weights
                are not changed.
            gelu: whether GELU follows.
        """
        super().__init__()
        weight_OI = linear.weight.detach()
        self.bias = None if linear.bias is None else linear.bias.detach()
        self.scale_O = weight_OI.abs().amax(dim=1).clamp_min(_SMALLEST_RANGE) / _LARGEST
        rounded_OI = (weight_OI / self.scale_O[:, None]).round().to(torch.int8)
        self.packed = torch.ops.onednn.qlinear_prepack(rounded_OI, None)
        self.zero_O = torch.zeros(len(self.scale_O), dtype=torch.int64)
        self.after = ("gelu", "none") if gelu else ("none", "")

    def forward(self, inputs: Tensor) -> Tensor:
        """Multiply [..., I] by the weights; float32 [..., O]."""
        low, high = (float(edge) for edge in torch.aminmax(inputs))
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max(high - low, _SMALLEST_RANGE) / _STEPS
        zero = round(-low / scale)
        # A cast cuts off what is behind the point, so half is added; a shade less, for 256 would become 0.
        rounded = torch.add(torch.full((), zero + _HALF), inputs, alpha=1 / scale).to(torch.uint8)
        return torch.ops.onednn.qlinear_pointwise(
            rounded,
            scale,
            zero,
            self.packed,
            self.scale_O,
            self.zero_O,
            self.bias,
            1.0,
            0,
            torch.float32,
            self.after[0],
            [],
            self.after[1],
        )
