"""Text-image alignment: pair by pair (paper equation 3), or the right pair among wrong ones (ours).

Letters: N pairs, B right ones among them, k wrong ones for each.
"""

import math

import torch
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


def alignment_list_loss(logits_N2: Tensor, positives: int) -> Tensor:
    """Mean of two cross-entropies: match or no match, right and wrong pairs weighing the same; and which of 1 + k.

    Many wrong pairs of one product are a question of order, which is what a ranking is measured by, and which equation
    3 asks only by way of a threshold. The first half keeps the probabilities meaningful (docs/adr/0004).

    Args:
        logits_N2: of the B right pairs, then k blocks of B wrong ones, pair i of each block for product i.
        positives: B.

    Returns:
        A scalar, in nats; (ln 2 + ln(1 + k)) / 2 for a model that knows nothing.
    """
    margins_N = logits_N2[:, 1].float() - logits_N2[:, 0].float()
    right_B, wrong_kB = margins_N[:positives], margins_N[positives:].view(-1, positives)
    by_threshold = (nnf.softplus(-right_B).mean() + nnf.softplus(wrong_kB).mean()) / 2
    lists_BC = torch.cat([right_B[None], wrong_kB]).T
    return (by_threshold + nnf.cross_entropy(lists_BC, torch.zeros_like(right_B, dtype=torch.int64))) / 2


def alignment_list_chance(wrong: int) -> float:
    """The loss of a model that knows nothing, for ``wrong`` wrong pairs a product, in nats."""
    return (math.log(2) + math.log(1 + wrong)) / 2
