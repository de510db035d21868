import math

import pytest
import torch
from torch import Tensor

from fashionbert.training.weighing import Scheme, gradient_norm, weigh

Losses = dict[str, Tensor]


@pytest.fixture
def hidden() -> Tensor:
    return torch.tensor([3.0, 4.0], requires_grad=True)


@pytest.fixture
def losses(hidden: Tensor) -> Losses:
    """Gradients at (3, 4): (6, 8) of norm 10, (5, 0) of norm 5, none."""
    return {
        "masked_words": hidden.square().sum(),
        "masked_patches": 5 * hidden[0],
        "alignment": torch.tensor(2.0, requires_grad=True) * 1.0,
    }


def test_gradient_norm_by_hand(hidden: Tensor, losses: Losses) -> None:
    norms = [gradient_norm(loss, [hidden]).item() for loss in losses.values()]
    assert norms == pytest.approx([10.0, 5.0, 0.0])


def test_gradient_norm_over_several_outputs(hidden: Tensor) -> None:
    other, unused = torch.tensor([1.0], requires_grad=True), torch.tensor([1.0], requires_grad=True)
    loss = 3 * hidden[1] + 4 * other.sum()
    assert gradient_norm(loss, [hidden, other, unused]).item() == pytest.approx(5.0)


def test_paper_weights_come_from_the_gradients_not_the_losses(hidden: Tensor, losses: Losses) -> None:
    """Shares 2/3, 1/3, 0 of the norms: gaps 3 - 4/9, 3 - 1/9, 3."""
    total, weights = weigh(losses, [hidden], "paper", fixed={}, log_variances={})
    inverse = [9 / 23, 9 / 26, 1 / 3]
    by_hand = [value / sum(inverse) for value in inverse]
    assert list(weights.values()) == pytest.approx(by_hand)
    assert total.item() == pytest.approx(sum(w * loss for w, loss in zip(by_hand, (25.0, 15.0, 2.0), strict=True)))


def test_the_gradient_of_the_paper_total_takes_the_weights_as_constants(hidden: Tensor, losses: Losses) -> None:
    total, weights = weigh(losses, [hidden], "paper", fixed={}, log_variances={})
    total.backward()
    words, patches = weights["masked_words"], weights["masked_patches"]
    torch.testing.assert_close(hidden.grad, torch.tensor([6 * words + 5 * patches, 8 * words]))


def test_other_schemes(hidden: Tensor, losses: Losses) -> None:
    fixed = {"masked_words": 1.0, "masked_patches": 1.0, "alignment": 2.0}
    total, weights = weigh(losses, [hidden], "fixed", fixed=fixed, log_variances={})
    assert weights == {"masked_words": 0.25, "masked_patches": 0.25, "alignment": 0.5}
    assert total.item() == pytest.approx(11.0)
    total, weights = weigh(losses, [hidden], "equal", fixed={}, log_variances={})
    assert list(weights.values()) == pytest.approx([1 / 3] * 3)
    assert total.item() == pytest.approx(14.0)
    total, weights = weigh(losses, [hidden], "released", fixed={}, log_variances={})
    assert list(weights.values()) == pytest.approx([3 / 7, 2 / 7, 2 / 7], abs=1e-4)  # softmax(25, 15, 2) is (1, 0, 0)
    variances = {name: torch.tensor(math.log(2.0), requires_grad=True) for name in losses}
    total, weights = weigh(losses, [hidden], "uncertainty", fixed={}, log_variances=variances)
    assert list(weights.values()) == pytest.approx([1 / 3] * 3)
    assert total.item() == pytest.approx(42 / 2 + 1.5 * math.log(2.0))


def test_fixed_weights_of_the_tasks_that_took_part(hidden: Tensor, losses: Losses) -> None:
    fixed = {"masked_words": 1.0, "masked_patches": 3.0, "alignment": 5.0}
    part = {name: losses[name] for name in ("masked_words", "masked_patches")}
    _, weights = weigh(part, [hidden], "fixed", fixed=fixed, log_variances={})
    assert weights == {"masked_words": 0.25, "masked_patches": 0.75}


@pytest.mark.parametrize("scheme", ["paper", "released", "equal"])
def test_a_task_alone(hidden: Tensor, losses: Losses, scheme: Scheme) -> None:
    total, weights = weigh({"masked_words": losses["masked_words"]}, [hidden], scheme, fixed={}, log_variances={})
    assert weights == {"masked_words": 1.0}
    assert total.item() == 25.0
