import math

import pytest
import torch
from torch import Tensor

from fashionbert.objectives import contrastive_loss, same_group


def unit(*rows: list[float]) -> Tensor:
    return torch.nn.functional.normalize(torch.tensor(rows), dim=-1)


def test_vectors_that_say_nothing_cost_the_logarithm_of_the_candidates() -> None:
    """Texts along one axis, pictures along another: every similarity is 0."""
    texts, pictures = unit(*[[1.0, 0.0]] * 5), unit(*[[0.0, 1.0]] * 5)
    loss = contrastive_loss(texts, pictures, torch.arange(5), 14.0)
    assert loss.item() == pytest.approx(math.log(5), abs=1e-6)


def test_queue_adds_candidates() -> None:
    texts, pictures = unit(*[[1.0, 0.0]] * 2), unit(*[[0.0, 1.0]] * 2)
    loss = contrastive_loss(
        texts,
        pictures,
        torch.tensor([0, 1]),
        14.0,
        unit(*[[1.0, 0.0]] * 6),
        unit(*[[0.0, 1.0]] * 6),
        torch.arange(10, 16),
    )
    assert loss.item() == pytest.approx(math.log(8), abs=1e-6)


def test_both_directions_by_hand() -> None:
    """Similarities t0p0 = 1, t0p1 = 0, t1p0 = 0.6, t1p1 = 0.8 at scale 2."""
    texts, pictures = unit([1.0, 0.0], [0.6, 0.8]), unit([1.0, 0.0], [0.0, 1.0])
    to_pictures = [math.log(1 + math.exp(-2.0)), math.log(1 + math.exp(1.2 - 1.6))]
    to_texts = [math.log(1 + math.exp(1.2 - 2.0)), math.log(1 + math.exp(0.0 - 1.6))]
    by_hand = (sum(to_pictures) / 2 + sum(to_texts) / 2) / 2
    loss = contrastive_loss(texts, pictures, torch.tensor([0, 1]), 2.0)
    assert loss.item() == pytest.approx(by_hand, abs=1e-6)


def test_group_mates_are_no_negatives() -> None:
    """Rows 0 and 1 are one group, also queue entry 0: each row has one real negative in the batch, row 2 has two."""
    texts, pictures = unit(*[[1.0, 0.0]] * 3), unit(*[[0.0, 1.0]] * 3)
    groups = torch.tensor([7, 7, 9])
    in_batch = (2 * math.log(2) + math.log(3)) / 3
    assert contrastive_loss(texts, pictures, groups, 5.0).item() == pytest.approx(in_batch, abs=1e-6)
    queue = (texts[:1], pictures[:1], torch.tensor([7]))
    with_queue = (2 * math.log(2) + math.log(4)) / 3
    assert contrastive_loss(texts, pictures, groups, 5.0, *queue).item() == pytest.approx(with_queue, abs=1e-6)


def test_a_group_mate_gets_no_gradient_and_a_negative_does() -> None:
    texts = unit([1.0, 0.0], [0.8, 0.6], [0.0, 1.0]).requires_grad_()
    pictures = unit([0.8, 0.6], [1.0, 0.0], [0.6, 0.8]).requires_grad_()
    loss = contrastive_loss(
        texts[:1], pictures[:1], torch.tensor([0]), 1.0, texts[1:], pictures[1:], torch.tensor([0, 1])
    )
    loss.backward()
    assert texts.grad is not None
    assert pictures.grad is not None
    assert pictures.grad[1].abs().sum() == 0.0
    assert texts.grad[1].abs().sum() == 0.0
    assert pictures.grad[2].abs().sum() > 0.0


def test_the_temperature_is_learnt() -> None:
    scale = torch.tensor(1.0, requires_grad=True)
    vectors = unit([1.0, 0.0], [0.0, 1.0])
    contrastive_loss(vectors, vectors, torch.tensor([0, 1]), scale).backward()
    assert scale.grad is not None
    assert scale.grad < 0  # right answers: a sharper softmax costs less


def test_same_group() -> None:
    table = same_group(torch.tensor([1, 2]), torch.tensor([2, 1, 1]))
    assert table.tolist() == [[False, True, True], [True, False, False]]
