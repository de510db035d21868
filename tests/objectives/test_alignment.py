import math

import pytest
import torch

from fashionbert.objectives import alignment_chance, alignment_list_chance, alignment_list_loss, alignment_loss


def test_loss_by_hand() -> None:
    logits = torch.tensor([[0.0, 2.0], [1.0, 1.0]])
    by_hand = (math.log(1 + math.exp(-2.0)) + math.log(2)) / 2
    assert alignment_loss(logits, torch.tensor([1, 0])).item() == pytest.approx(by_hand, abs=1e-6)


def test_class_one_is_the_match() -> None:
    sure_of_match = torch.tensor([[-9.0, 9.0]])
    assert (
        alignment_loss(sure_of_match, torch.tensor([1])) < 1e-6 < 17 < alignment_loss(sure_of_match, torch.tensor([0]))
    )


@pytest.mark.parametrize(("share", "chance"), [(1 / 2, 0.6931), (1 / 3, 0.6365), (1.0, 0.0), (0.0, 0.0)])
def test_chance_line(share: float, chance: float) -> None:
    assert alignment_chance(share) == pytest.approx(chance, abs=5e-5)


def test_no_constant_guess_beats_the_chance_line() -> None:
    labels = torch.tensor([1, 0, 0])
    guesses = [torch.tensor([[0.0, logit]]).expand(3, 2) for logit in (-1.0, -math.log(2), 0.0, 0.5)]
    losses = [alignment_loss(guess, labels).item() for guess in guesses]
    assert min(losses) == pytest.approx(alignment_chance(1 / 3), abs=1e-6)


def test_lists_by_hand() -> None:
    """Two products with margins 2 and 0; the first one's wrong pairs have 1 and -1, the second one's 0 and 0."""
    margins = torch.tensor([2.0, 0.0, 1.0, 0.0, -1.0, 0.0])
    logits = torch.stack([5 - margins / 2, 5 + margins / 2], dim=1)
    right = (math.log(1 + math.exp(-2)) + math.log(2)) / 2
    wrong = (math.log(1 + math.exp(1)) + math.log(1 + math.exp(-1)) + 2 * math.log(2)) / 4
    first = math.log(math.exp(2) + math.exp(1) + math.exp(-1)) - 2
    lists = (first + math.log(3)) / 2
    expected = ((right + wrong) / 2 + lists) / 2
    assert alignment_list_loss(logits, 2).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("wrong", [1, 24])
def test_chance_line_of_lists(wrong: int) -> None:
    logits = torch.zeros(3 * (1 + wrong), 2)
    assert alignment_list_loss(logits, 3).item() == pytest.approx(alignment_list_chance(wrong), abs=1e-6)
