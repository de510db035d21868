"""Linear layers in float32 whose weights lie as oneDNN reads them, which torch brings.

Weights are put in order once instead of in every pass, and bias and GELU come with the product; without that the bias
is copied into the result first, and GELU reads and writes it once more. The numbers are the same but for the order in
which they are added up.

Letters: N rows, I inputs, O outputs.
"""

import torch
from torch import Tensor, nn


class PackedLinear(nn.Module):
    """A linear layer for inference, with GELU behind it where asked for."""

    def __init__(self, linear: nn.Linear, *, gelu: bool = False) -> None:
        """Put the weights of a layer in order.

        Args:
            linear: the layer, in float32 on a CPU that :func:`fashionbert.arithmetic.packs_weights` says yes of.
            gelu: whether GELU follows.
        """
        super().__init__()
        self.bias = None if linear.bias is None else linear.bias.detach()
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)
        self.after = ("gelu", "none") if gelu else ("none", "")

    def forward(self, inputs: Tensor) -> Tensor:
        """Multiply [..., I] by the weights; float32 [..., O]."""
        return torch.ops.mkldnn._linear_pointwise(inputs, self.packed, self.bias, self.after[0], [], self.after[1])
