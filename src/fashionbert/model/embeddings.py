"""Patch features become positions of BERT's sequence.

Letters: B batch, P patches, F feature size, D width.
"""

import torch
from torch import Tensor, nn

from fashionbert.model.config import FashionBertConfig


class PatchEmbeddings(nn.Module):
    """Project patch features to BERT's width and add place and segment (paper section 1.2, Fig. 2).

    ``feature -> dropout -> projection (no bias) + patch position + segment I -> LayerNorm -> dropout``. Patches have
    a position table of their own: their order is row-major over the picture and does not continue the words'.
    """

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__()
        self.feature_dropout = nn.Dropout(config.patch_dropout_prob)
        self.projection = nn.Linear(config.patch_feature_size, config.hidden_size, bias=False)
        self.position_embeddings = nn.Embedding(config.patches, config.hidden_size)
        self.segment_embeddings = nn.Embedding(config.patch_type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.segment = min(1, config.patch_type_vocab_size - 1)
        if config.standardise_features:
            self.feature_mean = nn.Buffer(torch.zeros(config.patch_feature_size))
            self.feature_deviation = nn.Buffer(torch.ones(config.patch_feature_size))
        self.standardises = config.standardise_features

    def standardise(self, features_BPF: Tensor) -> Tensor:
        """Bring features to the projection's dtype and, where the model does so, to mean 0 and deviation 1."""
        features_BPF = features_BPF.to(self.projection.weight.dtype)
        if not self.standardises:
            return features_BPF
        return (features_BPF - self.feature_mean) / self.feature_deviation

    def forward(
        self, features_BPF: Tensor, masked_BP: Tensor | None = None, positions_BP: Tensor | None = None
    ) -> Tensor:
        """Embed patches.

        Args:
            features_BPF: patch features, any floating dtype.
            masked_BP: True where the patch is masked: its feature becomes zero, its place stays known
                (paper section 1.3). The features are replaced, not multiplied, so a NaN under a mask is harmless.
            positions_BP: place of each patch in the grid; None: the patches are all there, row-major.

        Returns:
            Embeddings [B, P, D].

        Raises:
            ValueError: more patches than the position table has rows.
        """
        patches = features_BPF.shape[1]
        if patches > self.position_embeddings.num_embeddings:
            raise ValueError(
                f"{patches} patches a picture, but the model was built for {self.position_embeddings.num_embeddings}: "
                "extract features with the model's own grid"
            )
        features_BPF = self.standardise(features_BPF)
        if masked_BP is not None:
            features_BPF = features_BPF.masked_fill(masked_BP[..., None], 0.0)
        table_PD = self.position_embeddings.weight
        place_PD = table_PD[:patches] if positions_BP is None else table_PD[positions_BP]
        segment_D = self.segment_embeddings.weight[self.segment]
        hidden_BPD = self.projection(self.feature_dropout(features_BPF)) + place_PD + segment_D
        return self.dropout(self.LayerNorm(hidden_BPD))
