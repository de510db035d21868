"""From task losses to the one number that is minimised (paper equations 4 and 6)."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from fashionbert.objectives import fixed_weights, paper_weights, released_weights, uncertainty_loss

Scheme = Literal["paper", "released", "equal", "fixed", "uncertainty"]


def weigh(
    losses: Mapping[str, Tensor],
    encoder_outputs: Sequence[Tensor],
    scheme: Scheme,
    *,
    fixed: Mapping[str, float],
    log_variances: Mapping[str, Tensor],
) -> tuple[Tensor, dict[str, float]]:
    """Weigh the tasks.

    Args:
        losses: scalar of each task, with its graph.
        encoder_outputs: what the heads read; for ``paper`` the gradient norms are taken there, which costs a backward
            pass through the heads and leaves the encoder to be crossed once.
        scheme: how.
        fixed: weight by task, for ``fixed``.
        log_variances: learnt scalar by task, for ``uncertainty``.

    Returns:
        The total loss, and the weights for the record.
    """
    losses_L = torch.stack(list(losses.values()))
    if scheme == "uncertainty":
        total, weights_L = uncertainty_loss(losses_L, torch.stack([log_variances[name] for name in losses]))
        return total, _named(losses, weights_L)
    if scheme == "paper":
        weights_L = paper_weights(torch.stack([gradient_norm(loss, encoder_outputs) for loss in losses.values()]))
    elif scheme == "released":
        weights_L = released_weights(losses_L)
    elif scheme == "fixed":
        weights_L = fixed_weights(losses_L.new_tensor([fixed[name] for name in losses]))
    else:
        weights_L = torch.full_like(losses_L, 1.0 / len(losses), requires_grad=False)
    return (weights_L * losses_L).sum(), _named(losses, weights_L)


def gradient_norm(loss: Tensor, encoder_outputs: Sequence[Tensor]) -> Tensor:
    """Euclidean norm of the loss's gradient at the encoder's outputs, all of them together; a scalar without graph."""
    gradients = torch.autograd.grad(loss, list(encoder_outputs), retain_graph=True, allow_unused=True)
    squares = [gradient.detach().float().square().sum() for gradient in gradients if gradient is not None]
    return torch.stack(squares).sum().sqrt() if squares else loss.detach().new_zeros(())


def _named(losses: Mapping[str, Tensor], weights_L: Tensor) -> dict[str, float]:
    return dict(zip(losses, weights_L.detach().tolist(), strict=True))
