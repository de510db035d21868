"""Symmetric InfoNCE over a batch and a queue (ours, not the paper's).

Letters: B batch, K queue, E vector size, C = B + K candidates.
"""

import torch
from torch import Tensor
from torch.nn import functional as nnf


def contrastive_loss(
    texts_BE: Tensor,
    pictures_BE: Tensor,
    groups_B: Tensor,
    scale: Tensor | float,
    queue_texts_KE: Tensor | None = None,
    queue_pictures_KE: Tensor | None = None,
    queue_groups_K: Tensor | None = None,
) -> Tensor:
    """Mean of text->picture and picture->text cross-entropy.

    Members of one group are masked out of each other's negatives: two colours of one dress share their description,
    and pushing them apart teaches the wrong thing.

    Args:
        texts_BE: unit vectors of the texts.
        pictures_BE: unit vectors of the pictures; row i belongs to text i.
        groups_B: group of each row, as integers.
        scale: 1 / temperature.
        queue_texts_KE: texts of past batches, further candidates for the pictures.
        queue_pictures_KE: pictures of past batches, further candidates for the texts.
        queue_groups_K: their groups.

    Returns:
        A scalar, in nats.
    """
    candidate_texts_CE, candidate_pictures_CE, groups_C = texts_BE, pictures_BE, groups_B
    if queue_texts_KE is not None and queue_pictures_KE is not None and queue_groups_K is not None:
        candidate_texts_CE = torch.cat([texts_BE, queue_texts_KE])
        candidate_pictures_CE = torch.cat([pictures_BE, queue_pictures_KE])
        groups_C = torch.cat([groups_B, queue_groups_K])
    to_pictures_BC = scale * texts_BE @ candidate_pictures_CE.T
    to_texts_BC = scale * pictures_BE @ candidate_texts_CE.T
    return info_nce(to_pictures_BC, to_texts_BC, groups_B, groups_C)


def info_nce(to_pictures_BC: Tensor, to_texts_BC: Tensor, groups_B: Tensor, groups_C: Tensor) -> Tensor:
    """Mean of text->picture and picture->text cross-entropy over logits, however they were come by.

    Args:
        to_pictures_BC: of each text with the candidate pictures; candidate i is the own one of text i.
        to_texts_BC: of each picture with the candidate texts, likewise.
        groups_B: group of each row, as integers.
        groups_C: group of each candidate; other members of a row's group are left out of its candidates.

    Returns:
        A scalar, in nats.
    """
    truth_B = torch.arange(len(groups_B), device=groups_B.device)
    banned_BC = same_group(groups_B, groups_C)
    banned_BC[truth_B, truth_B] = False
    losses = [
        nnf.cross_entropy(logits_BC.masked_fill(banned_BC, float("-inf")), truth_B)
        for logits_BC in (to_pictures_BC, to_texts_BC)
    ]
    return (losses[0] + losses[1]) / 2


def same_group(groups_B: Tensor, groups_C: Tensor) -> Tensor:
    """True where row and column are of one group, and so never negatives of one another [B, C]."""
    return groups_B[:, None] == groups_C[None, :]
