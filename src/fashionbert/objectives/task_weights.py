"""How much each task counts: pure functions from losses or gradient norms to weights.

All but Kendall's return w >= 0 with sum 1, and the total loss is ``sum_i w_i l_i`` (paper equation 4).
Letters: L number of tasks.
"""

import torch
from torch import Tensor


def paper_weights(gradient_norms_L: Tensor) -> Tensor:
    """Adaptive weights of the paper (equation 6): tasks that still have far to go get more.

    ``w_i = (L - g_i^2)^-1 / sum_j (L - g_j^2)^-1`` solves equation 5. The derivation needs g_i in [0, 1) and the paper
    leaves open how the norms get there; here they are divided by their sum. No gradient flows through the weights
    (docs/explanation/model.md).

    Args:
        gradient_norms_L: norm of each task's gradient at the encoder's output, not negative, not yet scaled.

    Returns:
        Weights [L]; equal ones when all norms are 0.
    """
    norms_L = gradient_norms_L.detach().float()
    total = norms_L.sum()
    shares_L = norms_L / total if total > 0 else torch.zeros_like(norms_L)
    return _inverse_gap(shares_L**2)


def released_weights(losses_L: Tensor) -> Tensor:
    """Adaptive weights as the authors' released code computes them (``pretrain_main.build_loss``).

    They take ``softmax(losses)_i^2`` where the paper has the squared gradient norm, and let the gradient flow through
    the weights. With three tasks every weight lies in [2/7, 3/7].

    Args:
        losses_L: the task losses, with their graph.

    Returns:
        Weights [L], with the graph of the losses.
    """
    return _inverse_gap(torch.softmax(losses_L.float(), dim=0) ** 2)


def fixed_weights(weights_L: Tensor) -> Tensor:
    """Weights chosen by hand, divided by their sum."""
    return weights_L / weights_L.sum()


def uncertainty_loss(losses_L: Tensor, log_variances_L: Tensor) -> tuple[Tensor, Tensor]:
    """Homoscedastic uncertainty weighting (Kendall, Gal, Cipolla, CVPR 2018, equation 10).

    Args:
        losses_L: the task losses.
        log_variances_L: a learnt parameter s_i for each task.

    Returns:
        The total ``sum_i exp(-s_i) l_i + s_i / 2`` and, for the record, the weights ``exp(-s_i)`` divided by their sum.
    """
    precisions_L = torch.exp(-log_variances_L)
    total = (precisions_L * losses_L + log_variances_L / 2).sum()
    return total, fixed_weights(precisions_L.detach())


def _inverse_gap(shares_L: Tensor) -> Tensor:
    if len(shares_L) == 1:
        return torch.ones_like(shares_L)  # a task alone has the share 1, and the gap would be 0
    inverse_L = 1.0 / (len(shares_L) - shares_L)
    return inverse_L / inverse_L.sum()
