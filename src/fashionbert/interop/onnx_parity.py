"""How far an exported model's margins are from those of the model itself, on random pairs.

Letters: N pairs, B pairs of a batch, T text tokens, P patches, F feature size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from fashionbert.interop.onnx_session import PairSession
from fashionbert.model import FashionBertForMatching

Batch: TypeAlias = tuple[Tensor, Tensor, Tensor]
"""Token ids and mask [B, T], features [B, P, F]."""

_SIZES = ((1, 2), (2, 5), (1, 9), (24, 16), (32, 40))
"""Pairs and tokens of each batch; one more has the longest text that the model reads."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Margins of the same pairs by two models.

    Attributes:
        pairs: how many were compared.
        largest: largest absolute difference.
        mean: mean absolute difference.
        rank_correlation: Spearman's, 1 where both order the pairs alike.
    """

    pairs: int
    largest: float
    mean: float
    rank_correlation: float


def random_pairs(model: FashionBertForMatching, tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> list[Batch]:
    """Draw texts of several lengths, padded, and features that are spread as the model expects them.

    Args:
        model: that will read them.
        tokenizer: the model's own.
        seed: of the draw.

    Returns:
        Batches of several sizes.
    """
    generator = torch.Generator().manual_seed(seed)
    config, embeddings = model.config, model.fashionbert.patch_embeddings
    first, last, padding = (
        int(token)  # pyright: ignore[reportArgumentType]
        for token in (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
    )
    batches = []
    longest = config.max_position_embeddings
    for pairs, tokens in (*_SIZES, (2, longest)):
        width = min(tokens, longest)
        lengths_B = torch.randint(2, width + 1, (pairs,), generator=generator)
        lengths_B[0] = width
        places_T = torch.arange(width)
        ids_BT = torch.randint(0, len(tokenizer), (pairs, width), generator=generator)
        ids_BT[:, 0] = first
        ids_BT[places_T == lengths_B[:, None] - 1] = last
        mask_BT = (places_T < lengths_B[:, None]).long()
        ids_BT[mask_BT == 0] = padding
        features_BPF = torch.randn(pairs, config.patches, config.patch_feature_size, generator=generator)
        if embeddings.standardises:
            features_BPF = features_BPF * embeddings.feature_deviation + embeddings.feature_mean
        batches.append((ids_BT, mask_BT, features_BPF))
    return batches


@torch.inference_mode()
def model_margins(model: FashionBertForMatching, batches: Sequence[Batch]) -> NDArray[np.float32]:
    """Margins of all pairs [N] by the model's own forward pass; it must be in evaluation mode."""
    margins = []
    for ids_BT, mask_BT, features_BPF in batches:
        logits_B2 = model(ids_BT, mask_BT, features_BPF).alignment_logits
        margins.append((logits_B2[:, 1] - logits_B2[:, 0]).numpy())
    return np.concatenate(margins)


def session_margins(session: PairSession, batches: Sequence[Batch]) -> NDArray[np.float32]:
    """Margins of all pairs [N] by an exported graph."""
    return np.concatenate([session.margins(*(each.numpy() for each in batch)) for batch in batches])


def difference(found_N: NDArray[np.float32], expected_N: NDArray[np.float32]) -> Difference:
    """Compare margins of the same pairs."""
    apart_N = np.abs(found_N.astype(np.float64) - expected_N)
    found, expected = (np.argsort(np.argsort(each, kind="stable")) for each in (found_N, expected_N))
    correlation = float(np.corrcoef(found, expected)[0, 1])
    return Difference(len(found_N), float(apart_N.max()), float(apart_N.mean()), correlation)
