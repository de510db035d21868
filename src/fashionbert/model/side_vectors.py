"""What one side of a pair says of itself: a vector of the whole, and vectors of its words or patches.

Letters: B sides (A texts against B pictures), S places, T words, P patches, D width, E vector size, K place size.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from fashionbert.model.config import FashionBertConfig


@dataclass(frozen=True, slots=True)
class Places:
    """Unit vectors of a side's words or patches, and how much each counts.

    Attributes:
        vectors: unit vectors of all places [B, S, K]; at padding they mean nothing.
        weights: share of each place in its side [B, S]: not negative, sum 1, 0 at padding.
        mask: True at real places [B, S].
    """

    vectors: Tensor
    weights: Tensor
    mask: Tensor

    def __getitem__(self, rows_N: Tensor) -> "Places":
        """Take rows, any number of times each."""
        return Places(self.vectors[rows_N], self.weights[rows_N], self.mask[rows_N])

    def narrowed(self, width: int) -> "Places":
        """Cut off places behind ``width``, which must be padding."""
        return Places(self.vectors[:, :width], self.weights[:, :width], self.mask[:, :width])

    def above(self, other: "Places") -> "Places":
        """Put another side's rows below one's own; the narrower one is padded."""
        width = max(self.mask.shape[1], other.mask.shape[1])
        upper, lower = self._padded(width), other._padded(width)
        return Places(
            torch.cat([upper.vectors, lower.vectors]),
            torch.cat([upper.weights, lower.weights]),
            torch.cat([upper.mask, lower.mask]),
        )

    def detached(self) -> "Places":
        """The same without graph."""
        return Places(self.vectors.detach(), self.weights.detach(), self.mask)

    def _padded(self, width: int) -> "Places":
        missing = width - self.mask.shape[1]
        return Places(
            nnf.pad(self.vectors, (0, 0, 0, missing)),
            nnf.pad(self.weights, (0, missing)),
            nnf.pad(self.mask, (0, missing)),
        )


@dataclass(frozen=True, slots=True)
class SideVectors:
    """What sides look like when they are read by themselves.

    Attributes:
        pooled: unit vector of each side [B, E], float32.
        places: vectors of its words or patches; None where the model has no late interaction.
        popularity: how like everything each side is [B]; None where the model has no bank.
    """

    pooled: Tensor
    places: Places | None = None
    popularity: Tensor | None = None

    def __getitem__(self, rows_N: Tensor) -> "SideVectors":
        """Take rows, any number of times each."""
        return SideVectors(
            self.pooled[rows_N],
            None if self.places is None else self.places[rows_N],
            None if self.popularity is None else self.popularity[rows_N],
        )

    def narrowed(self, width: int) -> "SideVectors":
        """Cut off places behind ``width``, which must be padding."""
        return replace(self, places=None if self.places is None else self.places.narrowed(width))

    def above(self, other: "SideVectors") -> "SideVectors":
        """Put another side's rows below one's own."""
        places = None if self.places is None or other.places is None else self.places.above(other.places)
        popularity = None
        if self.popularity is not None and other.popularity is not None:
            popularity = torch.cat([self.popularity, other.popularity])
        return SideVectors(torch.cat([self.pooled, other.pooled]), places, popularity)

    def detached(self) -> "SideVectors":
        """The same without graph."""
        return SideVectors(
            self.pooled.detach(),
            None if self.places is None else self.places.detached(),
            None if self.popularity is None else self.popularity.detach(),
        )


class ContrastedHead(nn.Module):
    """A head whose similarities the contrastive task learns, with a temperature that is learnt too."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(()))

    def set_temperature(self, temperature: float) -> None:
        """Start from this temperature; it is learnt from there."""
        nn.init.constant_(self.log_scale, -math.log(temperature))

    @property
    def scale(self) -> Tensor:
        """1 / temperature, at most 100 as in CLIP, so that the loss cannot run away."""
        return self.log_scale.exp().clamp(max=100.0)


class VectorHead(ContrastedHead):
    """Pool a sequence and project it to a unit vector, each side by a matrix of its own (docs/explanation/model.md)."""

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__()
        self.text = nn.Linear(config.hidden_size, config.contrastive_size, bias=False)
        self.picture = nn.Linear(config.hidden_size, config.contrastive_size, bias=False)

    def forward(self, hidden_BSD: Tensor, mask_BS: Tensor, side: str) -> Tensor:
        """Take the mean over the real places, project it and divide it by its length.

        Args:
            hidden_BSD: the encoder's output.
            mask_BS: True at real places, False at padding.
            side: ``"text"`` or ``"picture"``: which matrix projects.

        Returns:
            Unit vectors [B, E], float32 whatever the encoder computes in.
        """
        mask_BS1 = mask_BS[..., None].to(hidden_BSD.dtype)
        pooled_BD = (hidden_BSD * mask_BS1).sum(dim=1) / mask_BS1.sum(dim=1)
        projection = self.text if side == "text" else self.picture
        return nnf.normalize(projection(pooled_BD).float(), dim=-1)


class PlaceHead(ContrastedHead):
    """Project every place of a side to a unit vector and say how much it counts, each side by matrices of its own."""

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__()
        width, size = config.hidden_size, config.late_interaction_size
        self.text = nn.Linear(width, size, bias=False)
        self.picture = nn.Linear(width, size, bias=False)
        self.text_weight = nn.Linear(width, 1)
        self.picture_weight = nn.Linear(width, 1)

    def forward(self, hidden_BSD: Tensor, mask_BS: Tensor, side: str) -> Places:
        """Give the places of sides that were read by themselves.

        Args:
            hidden_BSD: the encoder's output.
            mask_BS: True at real places, False at padding.
            side: ``"text"`` or ``"picture"``.

        Returns:
            The places, float32 whatever the encoder computes in.
        """
        project, weigh = (self.text, self.text_weight) if side == "text" else (self.picture, self.picture_weight)
        logits_BS = weigh(hidden_BSD).float().squeeze(-1).masked_fill(~mask_BS, float("-inf"))
        return Places(nnf.normalize(project(hidden_BSD).float(), dim=-1), logits_BS.softmax(dim=-1), mask_BS)


def late_interaction(texts: Places, pictures: Places) -> Tensor:
    """How well each text and each picture fit, place by place (ours; docs/adr/0003).

    Each word looks for the patch that is most like it, each patch for its word; what they find is averaged by how much
    the word or the patch counts, and the two averages are averaged. The idea of comparing every place instead of one
    pooled vector is that of ColBERT (Khattab and Zaharia, SIGIR 2020) and FILIP (Yao et al., ICLR 2022).

    Args:
        texts: A texts.
        pictures: B pictures.

    Returns:
        Agreement of each with each, [A, B] in [-1, 1].
    """
    (texts_count, words, size), (pictures_count, patches, _) = texts.vectors.shape, pictures.vectors.shape
    flat = texts.vectors.reshape(-1, size) @ pictures.vectors.reshape(-1, size).T
    cosine_ATBP = flat.view(texts_count, words, pictures_count, patches)
    words_ATB = cosine_ATBP.masked_fill(~pictures.mask[None, None], -1.0).amax(dim=3).float()
    patches_ABP = cosine_ATBP.masked_fill(~texts.mask[:, :, None, None], -1.0).amax(dim=1).float()
    by_words_AB = torch.einsum("atb,at->ab", words_ATB, texts.weights)
    by_patches_AB = torch.einsum("abp,bp->ab", patches_ABP, pictures.weights)
    return (by_words_AB + by_patches_AB) / 2


def late_interaction_of_pairs(texts: Places, pictures: Places) -> Tensor:
    """:func:`late_interaction` of text i with picture i alone, for B pairs: [B]."""
    cosine_BTP = texts.vectors @ pictures.vectors.transpose(1, 2)
    words_BT = cosine_BTP.masked_fill(~pictures.mask[:, None, :], -1.0).amax(dim=2).float()
    patches_BP = cosine_BTP.masked_fill(~texts.mask[:, :, None], -1.0).amax(dim=1).float()
    return ((words_BT * texts.weights).sum(dim=1) + (patches_BP * pictures.weights).sum(dim=1)) / 2
