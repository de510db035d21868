from collections.abc import Callable

import numpy as np
import pytest
import torch

from fashionbert.data import Examples, Hiding, PairRows, collate_pairs, collate_sides, pad_texts

PAIRS = PairRows(texts=np.array([0, 4, 9, 4]), pictures=np.array([0, 4, 0, 7]), labels=np.array([1, 1, 0, 0]))


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_padding_by_hand() -> None:
    batch = pad_texts([np.array([2, 9, 3], np.int32), np.array([2, 3], np.int32)], pad_id=0)
    assert batch.input_ids.tolist() == [[2, 9, 3], [2, 3, 0]]
    assert batch.attention_mask.tolist() == [[True, True, True], [True, True, False]]
    assert batch.input_ids.dtype == torch.int64


def test_sides(make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding]) -> None:
    examples = make_examples()
    batch = collate_sides(examples, np.array([5, 0]), pad_id=0, hiding=make_hiding(), generator=rng())
    assert batch.input_ids[0].tolist() == examples.texts[5][0].tolist()
    assert batch.attention_mask.sum(dim=1).tolist() == [8, 3]
    assert batch.features[:, 0, 0].tolist() == [5, 0]
    assert batch.positions.tolist() == [list(range(9))] * 2
    assert batch.groups.tolist() == [2, 0]


def test_pairs_are_masked_and_can_be_put_together_again(
    make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding]
) -> None:
    examples = make_examples()
    batch = collate_pairs(examples, PAIRS, pad_id=0, hiding=make_hiding(), generator=rng())
    assert len(batch.word_places) == 1 + 2 + 3 + 2  # 30 % of 1, 5, 10 and 5 words, rounded
    restored = batch.input_ids.flatten().clone()
    restored[batch.word_places] = batch.word_labels
    for number, row in enumerate(PAIRS.texts):
        real = restored.view_as(batch.input_ids)[number][batch.attention_mask[number]]
        assert real.tolist() == examples.texts[int(row)][0].tolist()
    assert batch.labels.tolist() == [1, 1, 0, 0]


def test_positives_and_negatives_are_masked_alike(
    make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding]
) -> None:
    batch = collate_pairs(make_examples(), PAIRS, pad_id=0, hiding=make_hiding(), generator=rng())
    assert batch.masked_patches.sum(dim=1).tolist() == [3] * 4
    assert len({tuple(row) for row in batch.masked_patches.tolist()}) > 1


def test_a_picture_of_two_pairs_travels_once(
    make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding]
) -> None:
    batch = collate_pairs(make_examples(), PAIRS, pad_id=0, hiding=make_hiding(), generator=rng())
    assert batch.features[:, 0, 0].tolist() == [0, 4, 7]
    assert batch.picture_of.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("drop", [0.3, 0.5])
def test_dropped_patches_leave_the_others_at_their_places(
    make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding], drop: float
) -> None:
    examples = make_examples()
    batch = collate_pairs(examples, PAIRS, pad_id=0, hiding=make_hiding(drop=drop), generator=rng())
    kept = 9 - round(drop * 9)
    assert batch.features.shape == (3, kept, 6)
    assert batch.masked_patches.shape == (4, kept)
    whole = torch.from_numpy(examples.read_features(np.array([0, 4, 7])))
    for picture in range(3):
        places = batch.positions[picture]
        assert (places.diff() > 0).all()
        assert torch.equal(batch.features[picture], whole[picture, places])


def test_nothing_hidden(make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding]) -> None:
    batch = collate_pairs(make_examples(), PAIRS, pad_id=0, hiding=make_hiding(0.0, 0.0), generator=rng())
    assert len(batch.word_places) == len(batch.word_labels) == 0
    assert not batch.masked_patches.any()


def test_same_generator_same_batch(make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding]) -> None:
    first, second = (
        collate_pairs(make_examples(variants=2), PAIRS, pad_id=0, hiding=make_hiding(drop=0.5), generator=rng())
        for _ in range(2)
    )
    moved = second.to(torch.device("cpu"))
    for name in ("input_ids", "features", "positions", "masked_patches", "word_places"):
        assert torch.equal(getattr(first, name), getattr(moved, name))
