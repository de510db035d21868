"""Popularity of sides, and what it does to the scores of pairs."""

import math
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as nnf

from fashionbert.model import FashionBertConfig, FashionBertForPreTraining
from fashionbert.model.bank import VectorBank

MakeConfig = Callable[..., FashionBertConfig]


@pytest.fixture
def bank(make_config: MakeConfig) -> VectorBank:
    filled = VectorBank(make_config(side_agreement=True, contrastive_size=2, bank_size=2))
    filled.fill(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    return filled


def test_popularity_by_hand(bank: VectorBank) -> None:
    """A text is held against the bank's pictures, a picture against its texts."""
    vectors, scale = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor(2.0)
    of_texts, of_pictures = (bank.popularity(vectors, side, scale).tolist() for side in ("text", "picture"))
    assert of_texts == pytest.approx([math.log((math.exp(2) + math.exp(-2)) / 2), 0.0])
    assert of_pictures == pytest.approx([math.log((math.exp(2) + 1) / 2)] * 2)


def test_an_empty_bank_corrects_nothing(make_config: MakeConfig) -> None:
    empty = VectorBank(make_config(side_agreement=True, contrastive_size=2, bank_size=5))
    vectors = nnf.normalize(torch.randn(3, 2), dim=1)
    torch.testing.assert_close(empty.popularity(vectors, "text", torch.tensor(20.0)), torch.zeros(3))


@pytest.mark.parametrize("late", [0, 6])
@pytest.mark.parametrize("split", [0, 1])
def test_the_margin_moves_by_the_mean_popularity(make_config: MakeConfig, late: int, split: int) -> None:
    torch.manual_seed(0)
    changes = {"side_agreement": True, "late_interaction_size": late, "split_layers": split}
    model = FashionBertForPreTraining(make_config(**changes, bank_size=7)).eval()
    assert model.vector_head is not None
    assert model.side_agreement is not None
    assert model.bank is not None
    model.side_agreement.gain.data.fill_(1.5)
    words, features = torch.randint(1, 50, (4, 6)), torch.randn(4, 9, 6)
    mask = torch.ones_like(words)
    before = model(words, mask, features).alignment_logits
    texts, pictures = (nnf.normalize(torch.randn(7, 8), dim=1) for _ in range(2))
    model.bank.fill(texts, pictures)
    after = model(words, mask, features).alignment_logits
    scale = model.vector_head.scale
    own_texts, own_pictures = model.text_vectors(words, mask), model.picture_vectors(words[:, [0, -1]], None, features)
    popularity = [
        (scale * own @ others.T).exp().mean(dim=1).log()
        for own, others in ((own_texts, pictures), (own_pictures, texts))
    ]
    moved = (before - after)[:, 1] - (before - after)[:, 0]
    torch.testing.assert_close(moved, 1.5 * (popularity[0] + popularity[1]) / 2, atol=1e-4, rtol=1e-4)


def test_a_bank_needs_the_side_agreement(make_config: MakeConfig) -> None:
    with pytest.raises(ValueError, match="set side_agreement = True"):
        make_config(bank_size=3)
