from collections.abc import Callable

import numpy as np
import pytest
import torch

from fashionbert.data import NOT_HIDDEN, Examples, Hiding, collate_pictures, collate_texts, pad_texts

ROWS = np.array([0, 4, 9, 4])


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_padding_by_hand() -> None:
    batch = pad_texts([np.array([2, 9, 3], np.int32), np.array([2, 3], np.int32)], pad_id=0)
    assert batch.input_ids.tolist() == [[2, 9, 3], [2, 3, 0]]
    assert batch.attention_mask.tolist() == [[True, True, True], [True, True, False]]
    assert batch.input_ids.dtype == torch.int64


def test_masked_texts_can_be_put_together_again(
    make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding]
) -> None:
    examples = make_examples()
    batch = collate_texts(examples, ROWS, pad_id=0, hiding=make_hiding(), generator=rng())
    hidden = batch.labels != NOT_HIDDEN
    assert hidden.sum(dim=1).tolist() == [1, 2, 3, 2]  # 30 % of 1, 5, 10 and 5 words, rounded
    restored = torch.where(hidden, batch.labels, batch.input_ids)
    for number, row in enumerate(ROWS):
        assert restored[number][batch.attention_mask[number]].tolist() == examples.texts[int(row)][0].tolist()
    assert not hidden[~batch.attention_mask].any()
    assert (batch.input_ids[~batch.attention_mask] == 0).all()
    assert NOT_HIDDEN < 0


def test_texts_that_are_not_masked(make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding]) -> None:
    examples = make_examples()
    batch = collate_texts(examples, ROWS, pad_id=0, hiding=make_hiding(words=None), generator=rng())
    assert (batch.labels == NOT_HIDDEN).all()
    assert batch.input_ids[2].tolist() == examples.texts[9][0].tolist()
    assert batch.attention_mask.sum(dim=1).tolist() == [3, 7, 12, 7]


def test_pictures(make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding]) -> None:
    batch = collate_pictures(make_examples(), ROWS, hiding=make_hiding(), generator=rng())
    assert batch.features[:, 0, 0].tolist() == [0, 4, 9, 4]
    assert batch.positions.tolist() == [list(range(9))] * 4
    assert batch.masked.sum(dim=1).tolist() == [3] * 4
    assert len({tuple(row) for row in batch.masked.tolist()}) > 1


@pytest.mark.parametrize("drop", [0.3, 0.5])
def test_dropped_patches_leave_the_others_at_their_places(
    make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding], drop: float
) -> None:
    examples = make_examples()
    batch = collate_pictures(examples, ROWS, hiding=make_hiding(drop=drop), generator=rng())
    kept = 9 - round(drop * 9)
    assert batch.features.shape == (4, kept, 6)
    assert batch.masked.shape == (4, kept)
    assert batch.masked.sum(dim=1).tolist() == [round(0.3 * kept)] * 4
    whole = torch.from_numpy(examples.read_features(ROWS))
    for picture in range(4):
        places = batch.positions[picture]
        assert (places.diff() > 0).all()
        assert torch.equal(batch.features[picture], whole[picture, places])


def test_same_generator_same_batch(make_examples: Callable[..., Examples], make_hiding: Callable[..., Hiding]) -> None:
    examples, hiding = make_examples(variants=2), make_hiding(drop=0.5)
    pictures = [collate_pictures(examples, ROWS, hiding=hiding, generator=rng()) for _ in range(2)]
    texts = [collate_texts(examples, ROWS, pad_id=0, hiding=hiding, generator=rng()) for _ in range(2)]
    moved_pictures, moved_texts = pictures[1].to(torch.device("cpu")), texts[1].to(torch.device("cpu"))
    for name in ("features", "positions", "masked"):
        assert torch.equal(getattr(pictures[0], name), getattr(moved_pictures, name))
    for name in ("input_ids", "attention_mask", "labels"):
        assert torch.equal(getattr(texts[0], name), getattr(moved_texts, name))
