"""How easily a side is taken for the partner of others: its popularity among training sides.

Letters: B sides, R sides of the bank, E vector size.
"""

import math

import torch
from torch import Tensor, nn

from fashionbert.model.config import FashionBertConfig


class VectorBank(nn.Module):
    """Vectors of some training texts and pictures (ours; docs/adr/0006).

    In a space of many dimensions some pictures are near to every text, and stand first for queries of which they know
    nothing ("hubs"). What a side is to the bank's other side tells how much of one. Correcting similarities by a bank
    of training queries is the idea of Bogolin et al., "Cross Modal Retrieval with Querybank Normalisation", CVPR 2022;
    here the correction is the denominator of the contrastive task's own softmax.

    An empty bank, all zeros, corrects nothing.
    """

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__()
        self.texts = nn.Buffer(torch.zeros(config.bank_size, config.contrastive_size))
        self.pictures = nn.Buffer(torch.zeros(config.bank_size, config.contrastive_size))

    @torch.no_grad()
    def fill(self, texts_RE: Tensor, pictures_RE: Tensor) -> None:
        """Take these unit vectors in place of those that are there."""
        self.texts.copy_(texts_RE)
        self.pictures.copy_(pictures_RE)

    def popularity(self, vectors_BE: Tensor, side: str, scale: Tensor) -> Tensor:
        """Log of the mean of ``exp(scale * cosine)`` over the bank's other side.

        With it, ``scale * cosine - popularity`` is, up to a constant, the logarithm of the probability that the
        contrastive task's softmax gives the pair among the bank.

        Args:
            vectors_BE: unit vectors of the sides.
            side: ``"text"`` or ``"picture"``: what they are.
            scale: 1 / temperature of the vectors.

        Returns:
            Popularity of each side, float32 [B]; 0 for an empty bank.
        """
        others_RE = self.pictures if side == "text" else self.texts
        logits_BR = scale * (vectors_BE.float() @ others_RE.T)
        return logits_BR.logsumexp(dim=1) - math.log(len(others_RE))
