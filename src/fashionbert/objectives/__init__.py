"""The tasks and how they are weighed: pure functions of tensors (docs/explanation/model.md)."""

from fashionbert.objectives.alignment import (
    alignment_chance,
    alignment_list_chance,
    alignment_list_loss,
    alignment_loss,
)
from fashionbert.objectives.contrastive import contrastive_loss, info_nce, same_group
from fashionbert.objectives.distillation import soft_alignment_loss, soft_contrastive_loss
from fashionbert.objectives.masked_patches import masked_patch_loss
from fashionbert.objectives.masked_words import masked_word_loss
from fashionbert.objectives.task_weights import fixed_weights, paper_weights, released_weights, uncertainty_loss

__all__ = [
    "alignment_chance",
    "alignment_list_chance",
    "alignment_list_loss",
    "alignment_loss",
    "contrastive_loss",
    "fixed_weights",
    "info_nce",
    "masked_patch_loss",
    "masked_word_loss",
    "paper_weights",
    "released_weights",
    "same_group",
    "soft_alignment_loss",
    "soft_contrastive_loss",
    "uncertainty_loss",
]
