"""Rows become tensors, on the CPU.

Letters: B pairs, T text tokens, P patches, F feature size, U different pictures, M masked WordPieces.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashionbert.data.examples import Examples
from fashionbert.data.masking import WordMasking, mask_patches, mask_words
from fashionbert.data.negatives import PairRows


class _Movable:
    def to(self, device: torch.device) -> Self:
        """Copy every tensor to a device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # pyright: ignore[reportArgumentType]
        return type(self)(**{name: value.to(device, non_blocking=True) for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class TextBatch(_Movable):
    """Texts side by side.

    Attributes:
        input_ids: WordPieces, padded on the right [B, T].
        attention_mask: True at real tokens [B, T].
    """

    input_ids: Tensor
    attention_mask: Tensor


@dataclass(frozen=True, slots=True)
class SideBatch(_Movable):
    """Texts and pictures of products, to be read each by itself.

    Attributes:
        input_ids: WordPieces [B, T].
        attention_mask: True at real tokens [B, T].
        features: patch features [B, P, F].
        positions: place of each patch in the grid [B, P].
        groups: group of each product [B].
    """

    input_ids: Tensor
    attention_mask: Tensor
    features: Tensor
    positions: Tensor
    groups: Tensor


@dataclass(frozen=True, slots=True)
class PairBatch(_Movable):
    """Pairs, positives first, all masked alike.

    Attributes:
        input_ids: WordPieces with words hidden [B, T].
        attention_mask: True at real tokens [B, T].
        features: patch features of the different pictures [U, P, F]; a picture in several pairs travels once.
        positions: place of each of these patches in the grid [U, P].
        picture_of: which of the pictures each pair has [B].
        masked_patches: True where a patch is hidden [B, P].
        word_places: hidden WordPieces, as ``pair * T + place`` [M].
        word_labels: what stood there [M].
        labels: 1 where text and picture belong together [B].
    """

    input_ids: Tensor
    attention_mask: Tensor
    features: Tensor
    positions: Tensor
    picture_of: Tensor
    masked_patches: Tensor
    word_places: Tensor
    word_labels: Tensor
    labels: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiding:
    """What is hidden from the model in training.

    Attributes:
        words: how words are masked.
        patch_mask_share: share of a picture's patches set to zero.
        patch_drop_share: share of a picture's patches left out of the sequence, to save time.
    """

    words: WordMasking
    patch_mask_share: float
    patch_drop_share: float


def pad_texts(texts: Sequence[NDArray[np.int32]], pad_id: int) -> TextBatch:
    """Lay texts side by side, as wide as the longest one."""
    width = max(len(ids) for ids in texts)
    ids_BT = np.full((len(texts), width), pad_id, np.int64)
    real_BT = np.zeros((len(texts), width), np.bool_)
    for row, ids in enumerate(texts):
        ids_BT[row, : len(ids)] = ids
        real_BT[row, : len(ids)] = True
    return TextBatch(torch.from_numpy(ids_BT), torch.from_numpy(real_BT))


def collate_sides(
    examples: Examples, rows: NDArray[np.int64], *, pad_id: int, hiding: Hiding, generator: np.random.Generator
) -> SideBatch:
    """Read the two sides of products, words unmasked.

    Args:
        examples: the training split.
        rows: its rows.
        pad_id: id of [PAD].
        hiding: says how many patches are dropped.
        generator: source of picture variants and dropped patches.
    """
    texts = pad_texts([examples.texts[int(row)][0] for row in rows], pad_id)
    features_BPF, positions_BP = _read_patches(examples, rows, hiding.patch_drop_share, generator)
    groups_B = torch.from_numpy(examples.groups[rows])
    return SideBatch(texts.input_ids, texts.attention_mask, features_BPF, positions_BP, groups_B)


def collate_pairs(
    examples: Examples, pairs: PairRows, *, pad_id: int, hiding: Hiding, generator: np.random.Generator
) -> PairBatch:
    """Read, mask and pad the pairs of one step.

    Args:
        examples: the training split.
        pairs: rows of the pairs.
        pad_id: id of [PAD].
        hiding: how words and patches are hidden.
        generator: source of masks, picture variants and dropped patches.
    """
    masked = [mask_words(*examples.texts[int(row)], hiding.words, generator) for row in pairs.texts]
    texts = pad_texts([text.ids for text in masked], pad_id)
    width = texts.input_ids.shape[1]
    places = [number * width + text.places for number, text in enumerate(masked)]
    pictures, picture_of = np.unique(pairs.pictures, return_inverse=True)
    features_UPF, positions_UP = _read_patches(examples, pictures, hiding.patch_drop_share, generator)
    masked_BP = mask_patches(len(pairs.labels), features_UPF.shape[1], hiding.patch_mask_share, generator)
    return PairBatch(
        input_ids=texts.input_ids,
        attention_mask=texts.attention_mask,
        features=features_UPF,
        positions=positions_UP,
        picture_of=torch.from_numpy(picture_of.astype(np.int64)),
        masked_patches=torch.from_numpy(masked_BP),
        word_places=torch.from_numpy(np.concatenate(places)),
        word_labels=torch.from_numpy(np.concatenate([text.labels for text in masked])),
        labels=torch.from_numpy(pairs.labels),
    )


def _read_patches(
    examples: Examples, rows: NDArray[np.int64], drop_share: float, generator: np.random.Generator
) -> tuple[Tensor, Tensor]:
    features_BPF = examples.read_features(rows, generator)
    batch, patches = features_BPF.shape[:2]
    kept_BP = ~mask_patches(batch, patches, drop_share, generator)
    positions_BP = np.nonzero(kept_BP)[1].reshape(batch, -1)
    if positions_BP.shape[1] < patches:
        features_BPF = np.take_along_axis(features_BPF, positions_BP[..., None], axis=1)
    return torch.from_numpy(features_BPF), torch.from_numpy(positions_BP)
