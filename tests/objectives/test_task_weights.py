import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fashionbert.objectives import fixed_weights, paper_weights, released_weights, uncertainty_loss

NORMS = st.lists(st.floats(0, 1e6, width=32), min_size=2, max_size=4)


def test_paper_weights_by_hand() -> None:
    """Norms 3, 1, 0 are shares .75, .25, 0: gaps 3 - .5625, 3 - .0625, 3."""
    inverse = [1 / 2.4375, 1 / 2.9375, 1 / 3]
    expected = torch.tensor([value / sum(inverse) for value in inverse])
    torch.testing.assert_close(paper_weights(torch.tensor([3.0, 1.0, 0.0])), expected)


@given(NORMS)
def test_paper_weights_are_a_distribution_ordered_like_the_norms(norms: list[float]) -> None:
    weights = paper_weights(torch.tensor(norms))
    assert weights.sum().item() == pytest.approx(1.0, abs=1e-5)
    assert weights.min() > 0
    order = torch.tensor(norms).argsort()
    assert (weights[order].diff() >= -1e-6).all()


@given(st.lists(st.floats(0, 1e6, width=32), min_size=3, max_size=3))
def test_three_paper_weights_lie_between_two_and_three_sevenths(norms: list[float]) -> None:
    """The extremes are one task with the whole gradient: 1/(3-1) against 1/3 and 1/3."""
    weights = paper_weights(torch.tensor(norms))
    assert weights.min() >= 2 / 7 - 1e-6
    assert weights.max() <= 3 / 7 + 1e-6


def test_the_extremes_of_three_paper_weights() -> None:
    torch.testing.assert_close(paper_weights(torch.tensor([0.0, 5.0, 0.0])), torch.tensor([2 / 7, 3 / 7, 2 / 7]))


def test_paper_weights_do_not_depend_on_the_scale_of_the_norms() -> None:
    norms = torch.tensor([0.2, 0.5, 1.1])
    torch.testing.assert_close(paper_weights(1000 * norms), paper_weights(norms))


def test_no_gradient_passes_through_paper_weights() -> None:
    assert not paper_weights(torch.tensor([1.0, 2.0], requires_grad=True)).requires_grad


def test_no_gradients_at_all_give_equal_weights() -> None:
    torch.testing.assert_close(paper_weights(torch.zeros(4)), torch.full((4,), 0.25))


@pytest.mark.parametrize("weights_of", [paper_weights, released_weights, fixed_weights])
def test_a_task_alone_has_the_weight_one(weights_of: Callable[[Tensor], Tensor]) -> None:
    torch.testing.assert_close(weights_of(torch.tensor([0.3])), torch.tensor([1.0]))


@pytest.mark.parametrize(
    ("losses", "weights"),
    [
        ((10, 0.7, 0.05), (0.4285, 0.2857, 0.2857)),
        ((4, 0.69, 0.2), (0.4157, 0.2922, 0.2921)),
        ((2.5, 0.69, 0.1), (0.3873, 0.3070, 0.3058)),
        ((1, 0.3, 0.03), (0.3515, 0.3258, 0.3226)),
    ],
)
def test_released_weights_of_known_losses(losses: tuple[float, ...], weights: tuple[float, ...]) -> None:
    """Worked out from the authors' ``pretrain_main.build_loss``, independently of this code."""
    torch.testing.assert_close(released_weights(torch.tensor(losses)), torch.tensor(weights), atol=1e-4, rtol=0)


@given(st.lists(st.floats(0, 100, width=32), min_size=3, max_size=3))
def test_three_released_weights_lie_between_two_and_three_sevenths(losses: list[float]) -> None:
    weights = released_weights(torch.tensor(losses))
    assert weights.min() >= 2 / 7 - 1e-6
    assert weights.max() <= 3 / 7 + 1e-6
    assert weights.sum().item() == pytest.approx(1.0, abs=1e-5)


def test_the_gradient_passes_through_released_weights() -> None:
    losses = torch.tensor([2.5, 0.69, 0.1], requires_grad=True)
    (released_weights(losses) * losses).sum().backward()
    torch.testing.assert_close(losses.grad, torch.tensor([0.444, 0.271, 0.285]), atol=5e-4, rtol=0)


def test_fixed_weights_are_divided_by_their_sum() -> None:
    torch.testing.assert_close(fixed_weights(torch.tensor([1.0, 2.0, 5.0])), torch.tensor([0.125, 0.25, 0.625]))


def test_uncertainty_by_hand() -> None:
    """exp(-0) * 2 + 0/2 + exp(-ln 4) * 3 + ln(4)/2."""
    log_variances = torch.tensor([0.0, math.log(4)], requires_grad=True)
    total, weights = uncertainty_loss(torch.tensor([2.0, 3.0]), log_variances)
    assert total.item() == pytest.approx(2 + 0.75 + math.log(4) / 2, abs=1e-6)
    torch.testing.assert_close(weights, torch.tensor([0.8, 0.2]))
    total.backward()
    torch.testing.assert_close(log_variances.grad, torch.tensor([0.5 - 2, 0.5 - 0.75]))


def test_uncertainty_is_least_where_the_variance_is_twice_the_loss() -> None:
    """d/ds (exp(-s) l + s/2) = 0 at exp(s) = 2 l."""
    best, _ = uncertainty_loss(torch.tensor([3.0]), torch.tensor([math.log(6)]))
    for shift in (-0.3, 0.3):
        other, _ = uncertainty_loss(torch.tensor([3.0]), torch.tensor([math.log(6) + shift]))
        assert other > best
