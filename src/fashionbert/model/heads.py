"""What is read off the encoder of pairs: masked words, and alignment's base.

The masked-patch head is one linear layer and stands in ``modeling.py``; the vectors of single sides in
``side_vectors.py``. Letters: M masked places, B pairs, N pairs of a step, D width, V vocabulary.
"""

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


class SideAgreement(nn.Module):
    """What the two sides' own vectors say of a pair: the base on which the alignment head stands.

    The alignment head of the paper reads [CLS] alone, which a contrastive stage does not teach to compare: put on top
    of one and fed hard negatives it stayed on the chance line (docs/log.md, 2026-11-23). With this term the pair model
    starts where the vectors are, and the joint layers learn to correct them (docs/adr/0002).
    """

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        self.threshold = nn.Parameter(torch.zeros(()))
        self.started = nn.Buffer(torch.zeros((), dtype=torch.bool))

    @torch.no_grad()
    def start_at(self, threshold: Tensor) -> None:
        """Put the threshold where the first pairs want it: a learning rate could not bring it there in time."""
        self.threshold.copy_(threshold)
        self.started.fill_(True)

    @torch.no_grad()
    def start_with(self, gain: float, threshold: float) -> None:
        """Start from a line that was fitted."""
        self.gain.fill_(gain)
        self.start_at(torch.full_like(self.threshold, threshold))

    def forward(self, similarity_B: Tensor) -> Tensor:
        """Turn similarities in units of the contrastive task's logits into alignment logits.

        Args:
            similarity_B: of each pair.

        Returns:
            Logits [B, 2]: half of ``gain * (similarity - threshold)`` for a match, the same against it.
        """
        half_margin_B = self.gain * (similarity_B - self.threshold) / 2
        return torch.stack([-half_margin_B, half_margin_B], dim=1)
