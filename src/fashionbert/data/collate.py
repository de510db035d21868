"""Rows become tensors, on the CPU.

Letters: B rows, T text tokens, P patches, F feature size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashionbert.data.examples import Examples
from fashionbert.data.masking import WordMasking, drop_words, mask_patches, mask_words

NOT_HIDDEN = -100
"""Label of a place where nothing is to be predicted (torch's ignore index)."""


class Movable:
    """A batch of tensors; some may be missing."""

    def to(self, device: torch.device) -> Self:
        """Copy every tensor to a device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # pyright: ignore[reportArgumentType]
        moved = {name: None if each is None else each.to(device, non_blocking=True) for name, each in values.items()}
        return type(self)(**moved)


@dataclass(frozen=True, slots=True)
class TextBatch(Movable):
    """Texts side by side.

    Attributes:
        input_ids: WordPieces, padded on the right [B, T].
        attention_mask: True at real tokens [B, T].
    """

    input_ids: Tensor
    attention_mask: Tensor


@dataclass(frozen=True, slots=True)
class MaskedTexts(Movable):
    """Texts with words hidden.

    Attributes:
        input_ids: WordPieces as the model sees them [B, T].
        attention_mask: True at real tokens [B, T].
        labels: what stood at hidden places, :data:`NOT_HIDDEN` elsewhere [B, T].
    """

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor


@dataclass(frozen=True, slots=True)
class MaskedPictures(Movable):
    """Pictures with patches hidden.

    Attributes:
        features: patch features [B, P, F].
        positions: place of each patch in the grid [B, P].
        masked: True where a patch is hidden [B, P].
    """

    features: Tensor
    positions: Tensor
    masked: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiding:
    """What is hidden from the model in training.

    Attributes:
        words: how words are masked; None: not at all.
        word_drop_share: share of a text's words left out of the sequence.
        patch_mask_share: share of a picture's patches set to zero.
        patch_drop_share: share of a picture's patches left out of the sequence, to save time.
        title_drop_share: share of products whose title does not stand before their patches; 1: nobody's.
    """

    words: WordMasking | None
    word_drop_share: float
    patch_mask_share: float
    patch_drop_share: float
    title_drop_share: float = 1.0


def pad_texts(texts: Sequence[NDArray[np.int32]], pad_id: int) -> TextBatch:
    """Lay texts side by side, as wide as the longest one."""
    ids_BT, real_BT = _pad(texts, pad_id)
    return TextBatch(torch.from_numpy(ids_BT), torch.from_numpy(real_BT))


def collate_texts(
    examples: Examples, rows: NDArray[np.int64], *, pad_id: int, hiding: Hiding, generator: np.random.Generator
) -> MaskedTexts:
    """Drop words of texts of a split, mask others, and pad.

    Args:
        examples: the split.
        rows: its rows [B].
        pad_id: id of [PAD].
        hiding: how many words are dropped and hidden.
        generator: source of dropped and hidden words.

    Returns:
        The texts of these rows, in their order.
    """
    tokens = [drop_words(*examples.texts[int(row)], hiding.word_drop_share, generator) for row in rows]
    if hiding.words is None:
        ids_BT, real_BT = _pad([ids for ids, _ in tokens], pad_id)
        return _masked_texts(ids_BT, real_BT, np.full_like(ids_BT, NOT_HIDDEN))
    masked = [mask_words(ids, words, hiding.words, generator) for ids, words in tokens]
    ids_BT, real_BT = _pad([text.ids for text in masked], pad_id)
    labels_BT = np.full_like(ids_BT, NOT_HIDDEN)
    for row, text in enumerate(masked):
        labels_BT[row, text.places] = text.labels
    return _masked_texts(ids_BT, real_BT, labels_BT)


def collate_titles(
    examples: Examples, rows: NDArray[np.int64], *, pad_id: int, hiding: Hiding, generator: np.random.Generator
) -> TextBatch | None:
    """Choose products of a split whose titles stand before their patches; words are left out of them as of texts.

    Args:
        examples: the split.
        rows: its rows [B].
        pad_id: id of [PAD].
        hiding: how many titles and words are left out.
        generator: source of the choice.

    Returns:
        ``[CLS] title [SEP]`` of the chosen rows, ``[CLS] [SEP]`` of the others; None where no titles are wanted.
    """
    if hiding.title_drop_share >= 1.0 or examples.titles is None:
        return None
    titled_B = generator.random(len(rows)) >= hiding.title_drop_share
    tokens = [
        drop_words(*examples.titles[int(row)], hiding.word_drop_share, generator)[0]
        if titled
        else examples.titles[int(row)][0][[0, -1]]
        for row, titled in zip(rows, titled_B, strict=True)
    ]
    return pad_texts(tokens, pad_id)


def collate_pictures(
    examples: Examples, rows: NDArray[np.int64], *, hiding: Hiding, generator: np.random.Generator
) -> MaskedPictures:
    """Read patch features of a split, drop and mask patches.

    Args:
        examples: the split.
        rows: its rows [B].
        hiding: how many patches are dropped and hidden.
        generator: source of picture variants, dropped and hidden patches.

    Returns:
        The pictures of these rows, in their order.
    """
    features_BPF = examples.read_features(rows, generator)
    batch, patches = features_BPF.shape[:2]
    kept_BP = ~mask_patches(batch, patches, hiding.patch_drop_share, generator)
    positions_BP = np.nonzero(kept_BP)[1].reshape(batch, -1)
    if positions_BP.shape[1] < patches:
        features_BPF = np.take_along_axis(features_BPF, positions_BP[..., None], axis=1)
    masked_BP = mask_patches(batch, positions_BP.shape[1], hiding.patch_mask_share, generator)
    return MaskedPictures(torch.from_numpy(features_BPF), torch.from_numpy(positions_BP), torch.from_numpy(masked_BP))


def _pad(texts: Sequence[NDArray[np.int32]], pad_id: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    width = max(len(ids) for ids in texts)
    ids_BT = np.full((len(texts), width), pad_id, np.int64)
    real_BT = np.zeros((len(texts), width), np.bool_)
    for row, ids in enumerate(texts):
        ids_BT[row, : len(ids)] = ids
        real_BT[row, : len(ids)] = True
    return ids_BT, real_BT


def _masked_texts(ids_BT: NDArray[np.int64], real_BT: NDArray[np.bool_], labels_BT: NDArray[np.int64]) -> MaskedTexts:
    return MaskedTexts(torch.from_numpy(ids_BT), torch.from_numpy(real_BT), torch.from_numpy(labels_BT))
