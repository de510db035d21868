"""Linear layers that multiply 8-bit numbers, four times as many a second where the processor has VNNI.

Weights are rounded once, each output by its own scale; what comes in is rounded in every pass, each place by the
largest of its own numbers, so that a score does not depend on who else is in the batch. Sums are exact, and between the
products everything is float32: attention, LayerNorm, residuals. The products are oneDNN's, which torch brings.

Letters: N rows, I inputs, O outputs.
"""

import torch
from torch import Tensor
from torch.nn import functional as nnf

from fashionbert.model.linears import RemadeLinear

_LARGEST = 127
_ZERO = 128
"""What stands for 0 among the numbers from 0 to 255 that oneDNN multiplies."""
_SMALLEST = 1e-12


class Int8Linear(RemadeLinear):
    """For a CPU that :func:`fashionbert.arithmetic.has_int8` says yes of."""

    def remade(self) -> tuple[Tensor, Tensor, Tensor]:
        """The rounded weights as oneDNN reads them, and for each output its scale and its zero."""
        weight_OI = self.weight.detach()
        scale_O = weight_OI.abs().amax(dim=1).clamp_min(_SMALLEST) / _LARGEST
        rounded_OI = (weight_OI / scale_O[:, None]).round().to(torch.int8)
        packed = torch.ops.onednn.qlinear_prepack(rounded_OI, None)
        return packed, scale_O, torch.zeros(len(scale_O), dtype=torch.int64)

    def multiply(self, inputs: Tensor, other: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """As of :class:`RemadeLinear`; a row with a number that is none gives none, as in float32."""
        scale_N1 = inputs.abs().amax(dim=-1, keepdim=True).clamp_min(_SMALLEST) / _LARGEST
        # A cast cuts off what is behind the point, so half is added.
        rounded_NI = torch.addcmul(torch.full((), _ZERO + 0.5), inputs, 1 / scale_N1).to(torch.uint8)
        products_NO = torch.ops.onednn.qlinear_pointwise(
            rounded_NI, 1.0, _ZERO, *other, None, 1.0, 0, torch.float32, "none", [], ""
        )
        bias_O = torch.zeros(()) if self.bias is None else self.bias
        outputs_NO = torch.addcmul(bias_O, products_NO, scale_N1)
        return nnf.gelu(outputs_NO) if self.gelu else outputs_NO
