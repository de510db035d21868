import math

import pytest
import torch

from fashionbert.objectives import soft_alignment_loss, soft_contrastive_loss

LN2, LN3 = math.log(2), math.log(3)


def test_divergences_of_a_batch_by_hand() -> None:
    """Rows: the teacher says 1/2, 1/2 and 3/4, 1/4 of texts; the student 1/2, 1/2 of all."""
    teacher, student = torch.tensor([[0.0, 0.0], [LN3, 0.0]]), torch.zeros(2, 2)
    of_texts = (0 + 0.75 * math.log(1.5) + 0.25 * math.log(0.5)) / 2
    of_pictures = (0.25 * math.log(0.5) + 0.75 * math.log(1.5) + 0) / 2  # columns: 1/4, 3/4 and 1/2, 1/2
    assert soft_contrastive_loss(student, teacher).item() == pytest.approx((of_texts + of_pictures) / 2, abs=1e-6)


def test_divergences_of_pairs_by_hand() -> None:
    """One right and two wrong pairs; the teacher is sure of nothing but the second wrong one, 3 to 1 against it."""
    teacher, student = torch.tensor([0.0, 0.0, -LN3]), torch.zeros(3)
    against = 0.25 * math.log(0.5) + 0.75 * math.log(1.5)
    by_pair = (0 + (0 + against) / 2) / 2
    shares = [3 / 7, 3 / 7, 1 / 7]
    by_list = sum(share * math.log(3 * share) for share in shares)
    assert soft_alignment_loss(student, teacher, 1).item() == pytest.approx((by_pair + by_list) / 2, abs=1e-6)


def test_who_agrees_has_nothing_to_learn() -> None:
    torch.manual_seed(0)
    logits, margins = torch.randn(4, 4), torch.randn(12)
    assert soft_contrastive_loss(logits, logits).item() == pytest.approx(0, abs=1e-6)
    assert soft_alignment_loss(margins, margins, 4).item() == pytest.approx(0, abs=1e-6)
    assert soft_contrastive_loss(logits, logits + 3).item() == pytest.approx(0, abs=1e-6)


def test_disagreement_costs_and_pulls_towards_the_teacher() -> None:
    torch.manual_seed(0)
    teacher, student = torch.randn(12), torch.randn(12, requires_grad=True)
    loss = soft_alignment_loss(student, teacher, 4)
    loss.backward()
    assert loss > 0.01
    assert student.grad is not None
    with torch.no_grad():
        assert soft_alignment_loss(student - 0.1 * student.grad, teacher, 4) < loss


def test_lists_are_of_a_product_each() -> None:
    """A constant for all pairs of a product changes no order: what is left is the half of pairs one by one."""
    teacher, constant_of_each = torch.zeros(4), torch.tensor([2.0, -2.0]).repeat(2)  # two products, a wrong pair each
    both_ways = math.log(1 / (1 + math.exp(-2))) + math.log(1 / (1 + math.exp(2)))
    by_pair = -LN2 - both_ways / 2
    assert soft_alignment_loss(constant_of_each, teacher, 2).item() == pytest.approx(by_pair / 2, abs=1e-6)
