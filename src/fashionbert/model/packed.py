"""Linear layers in float32 whose weights lie as oneDNN reads them, which torch brings.

Weights are put in order once instead of in every pass, and bias and GELU come with the product; without that the bias
is copied into the result first, and GELU reads and writes it once more. The numbers are the same but for the order in
which they are added up.
"""

import torch
from torch import Tensor

from fashionbert.model.linears import RemadeLinear


class PackedLinear(RemadeLinear):
    """For a CPU that :func:`fashionbert.arithmetic.packs_weights` says yes of."""

    def remade(self) -> Tensor:
        """The weights in order."""
        return torch.ops.mkldnn._reorder_linear_weight(self.weight.detach(), None)

    def multiply(self, inputs: Tensor, other: Tensor) -> Tensor:
        """As of :class:`RemadeLinear`."""
        after = ("gelu", [], "none") if self.gelu else ("none", [], "")
        return torch.ops.mkldnn._linear_pointwise(inputs, other, self.bias, *after)
