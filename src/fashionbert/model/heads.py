"""What is read off the encoder: masked words, alignment, unit vectors.

The masked-patch head is one linear layer and stands in ``modeling.py``. Letters: M masked places, B batch, S sequence,
T text tokens, D width, V vocabulary, E vector size.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf
from transformers.models.bert.modeling_bert import BertPredictionHeadTransform

from fashionbert.model.config import FashionBertConfig


class WordHead(nn.Module):
    """Predict masked WordPieces: dense, activation, LayerNorm, then BERT's own word table as output matrix."""

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__()
        self.transform = BertPredictionHeadTransform(config)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden_MD: Tensor, word_table_VD: Tensor) -> Tensor:
        """Return logits [M, V]; the tied table is passed in, so that there is but one copy of it."""
        return nnf.linear(self.transform(hidden_MD), word_table_VD, self.bias)


class VectorHead(nn.Module):
    """Pool a sequence and project it to a unit vector, each side by a matrix of its own (docs/explanation/model.md)."""

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__()
        self.text = nn.Linear(config.hidden_size, config.contrastive_size, bias=False)
        self.picture = nn.Linear(config.hidden_size, config.contrastive_size, bias=False)
        self.log_scale = nn.Parameter(torch.zeros(()))

    def set_temperature(self, temperature: float) -> None:
        """Start from this temperature; it is learnt from there."""
        nn.init.constant_(self.log_scale, -math.log(temperature))

    @property
    def scale(self) -> Tensor:
        """1 / temperature, at most 100 as in CLIP, so that the loss cannot run away."""
        return self.log_scale.exp().clamp(max=100.0)

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


class SideAgreement(nn.Module):
    """What the two sides' own vectors say of a pair: the base on which the alignment head stands.

    The alignment head of the paper reads [CLS] alone, which a contrastive stage does not teach to compare: put on top
    of one and fed hard negatives it stayed on the chance line (docs/log.md, 2026-11-23). With this term the pair model
    starts where the vectors are, and the joint layers learn to correct them (docs/adr/0002). No gradient of the
    alignment task reaches the vectors: the contrastive task alone shapes their space.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(10.0))
        self.threshold = nn.Parameter(torch.tensor(0.5))

    def forward(self, texts_BE: Tensor, pictures_BE: Tensor) -> Tensor:
        """Turn cosines into alignment logits.

        Args:
            texts_BE: unit vectors of the texts, read by themselves.
            pictures_BE: unit vectors of the pictures, read by themselves.

        Returns:
            Logits [B, 2]: half of ``gain * (cosine - threshold)`` for a match, the same against it.
        """
        cosine_B = (texts_BE.detach() * pictures_BE.detach()).sum(dim=1)
        half_margin_B = self.gain * (cosine_B - self.threshold) / 2
        return torch.stack([-half_margin_B, half_margin_B], dim=1)
