"""Masked words and masked patches."""

import math

import pytest
import torch

from fashionbert.objectives import masked_patch_loss, masked_word_loss


@pytest.mark.parametrize("vocabulary", [2, 7, 1000])
def test_even_logits_cost_the_logarithm_of_the_vocabulary(vocabulary: int) -> None:
    loss = masked_word_loss(torch.full((3, vocabulary), 4.0), torch.tensor([0, 1, 1]))
    assert loss.item() == pytest.approx(math.log(vocabulary), abs=1e-5)


def test_word_loss_by_hand() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]])
    first = math.log(1 + math.e + math.e**2) - 1.0
    second = math.log(math.e**3 + 2) - 3.0
    assert masked_word_loss(logits, torch.tensor([1, 0])).item() == pytest.approx((first + second) / 2, abs=1e-6)


def test_patch_loss_is_zero_for_the_same_distribution_only() -> None:
    features = torch.tensor([[1.0, 2.0, -3.0], [0.5, 0.5, 0.5]])
    assert masked_patch_loss(features + 7.0, features).item() == pytest.approx(0.0, abs=1e-6)
    assert masked_patch_loss(features.flip(1), features).item() > 0.5


def test_patch_loss_by_hand_and_its_direction() -> None:
    """True (3/4, 1/4), predicted (1/2, 1/2): KL(true || predicted), not the other way round."""
    feature, logits = torch.tensor([[math.log(3.0), 0.0]]), torch.zeros(1, 2)
    by_hand = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    other_way = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    assert masked_patch_loss(logits, feature).item() == pytest.approx(by_hand, abs=1e-6)
    assert abs(by_hand - other_way) > 0.01


def test_patch_loss_is_a_mean_over_patches_and_a_sum_over_entries() -> None:
    feature, logits = torch.tensor([[math.log(3.0), 0.0]]), torch.zeros(1, 2)
    one = masked_patch_loss(logits, feature)
    torch.testing.assert_close(masked_patch_loss(logits.repeat(5, 1), feature.repeat(5, 1)), one)


def test_nothing_masked_costs_nothing_and_still_has_a_gradient() -> None:
    for loss_of, targets in (
        (masked_word_loss, torch.zeros(0, dtype=torch.int64)),
        (masked_patch_loss, torch.zeros(0, 4)),
    ):
        table = torch.ones(4, 3, requires_grad=True)
        loss = loss_of(torch.zeros(0, 3) @ table.T, targets)
        loss.backward()
        assert loss.item() == 0.0
        assert table.grad is not None
        assert table.grad.abs().sum() == 0.0


def test_gradient_of_the_word_loss_is_probability_minus_truth() -> None:
    logits = torch.zeros(1, 4, requires_grad=True)
    masked_word_loss(logits, torch.tensor([2])).backward()
    torch.testing.assert_close(logits.grad, torch.tensor([[0.25, 0.25, -0.75, 0.25]]))


def test_gradient_of_the_patch_loss_is_probability_minus_truth_and_spares_the_target() -> None:
    logits = torch.zeros(1, 2, requires_grad=True)
    feature = torch.tensor([[math.log(3.0), 0.0]])
    masked_patch_loss(logits, feature).backward()
    torch.testing.assert_close(logits.grad, torch.tensor([[-0.25, 0.25]]))


def test_half_precision_logits_are_summed_in_float32() -> None:
    logits = torch.zeros(2, 30_000, dtype=torch.bfloat16)
    assert masked_word_loss(logits, torch.tensor([0, 1])).item() == pytest.approx(math.log(30_000), abs=1e-4)
