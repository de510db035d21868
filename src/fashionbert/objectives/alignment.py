"""Text-image alignment (paper equation 3)."""

import math

from torch import Tensor
from torch.nn import functional as nnf


def alignment_loss(logits_B2: Tensor, labels_B: Tensor) -> Tensor:
    """Mean cross-entropy of match (1) against no match (0), a scalar in nats."""
    return nnf.cross_entropy(logits_B2.float(), labels_B)


def alignment_chance(positive_share: float) -> float:
    """The loss of a model that knows nothing but the share of matching pairs: the entropy of that share, in nats.

    A loss that sits on this line means that nothing has been learnt: ln 2 = 0.6931 for 1:1, 0.6365 for 1:2.
    """
    if positive_share in (0.0, 1.0):
        return 0.0
    rest = 1.0 - positive_share
    return -positive_share * math.log(positive_share) - rest * math.log(rest)
