"""Late interaction by hand, padding, and one pair at a time against all of them."""

import math

import pytest
import torch

from fashionbert.model import Places, SideVectors, late_interaction
from fashionbert.model.side_vectors import late_interaction_of_pairs

EAST, NORTH, NORTHEAST = [1.0, 0.0], [0.0, 1.0], [math.sqrt(0.5)] * 2


def places(vectors: list[list[list[float]]], weights: list[list[float]]) -> Places:
    weights_BS = torch.tensor(weights)
    return Places(torch.tensor(vectors), weights_BS, weights_BS > 0)


def random_places(count: int, width: int, seed: int) -> Places:
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.nn.functional.normalize(torch.randn(count, width, 4, generator=generator), dim=-1)
    lengths = torch.randint(1, width + 1, (count,), generator=generator)
    mask = torch.arange(width)[None] < lengths[:, None]
    weights = torch.rand(count, width, generator=generator).masked_fill(~mask, float("-inf")).softmax(dim=1)
    return Places(vectors, weights, mask)


def test_by_hand() -> None:
    """Words east (3/4) and north (1/4); patches east (1/2) and north-east (1/2).

    East finds 1, north finds 0.7071: 0.75 + 0.1768 = 0.9268. The patches find 1 and 0.7071: 0.8536. Mean: 0.8902.
    """
    text, picture = places([[EAST, NORTH]], [[0.75, 0.25]]), places([[EAST, NORTHEAST]], [[0.5, 0.5]])
    assert late_interaction(text, picture).item() == pytest.approx(0.890165, abs=1e-5)


def test_padding_is_never_found() -> None:
    """The padded word would be the patch's best counterpart, the padded patch the word's."""
    text, picture = places([[EAST, NORTH]], [[1.0, 0.0]]), places([[NORTH, EAST]], [[1.0, 0.0]])
    assert late_interaction(text, picture).item() == pytest.approx(0.0)
    assert late_interaction_of_pairs(text, picture).item() == pytest.approx(0.0)


def test_pairs_are_the_diagonal_of_all() -> None:
    texts, pictures = random_places(5, 6, seed=0), random_places(5, 9, seed=1)
    every = late_interaction(texts, pictures)
    assert every.shape == (5, 5)
    torch.testing.assert_close(late_interaction_of_pairs(texts, pictures), every.diagonal(), atol=1e-6, rtol=0.0)


def test_rows_stacked_and_narrowed_agree_as_before() -> None:
    narrow, wide, pictures = random_places(2, 3, seed=2), random_places(3, 7, seed=3), random_places(4, 9, seed=4)
    expected = torch.cat([late_interaction(narrow, pictures), late_interaction(wide, pictures)])
    stacked = narrow.above(wide)
    torch.testing.assert_close(late_interaction(stacked, pictures), expected, atol=1e-6, rtol=0.0)
    rows = torch.tensor([1, 0, 1])
    taken = stacked[rows].narrowed(3)
    torch.testing.assert_close(late_interaction(taken, pictures), expected[rows], atol=1e-6, rtol=0.0)


def test_sides_without_places_stay_without() -> None:
    one, other = SideVectors(torch.eye(2)), SideVectors(torch.eye(2), random_places(2, 3, seed=0))
    assert one.above(other).places is None
    assert one[torch.tensor([1])].places is None
    torch.testing.assert_close(one.above(other).pooled, torch.cat([torch.eye(2), torch.eye(2)]))
