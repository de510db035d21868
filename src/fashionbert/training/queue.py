"""Vectors of past batches: more negatives for the contrastive task, and where the alignment task finds hard ones.

Letters: K vectors kept, B vectors of a batch, E vector size.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class VectorQueue:
    """The vectors of the last K rows of the training split, newest last; a row's newer vectors replace its older ones.

    Attributes:
        rows: number of each row in the training split [K].
        groups: group of each [K].
        texts: unit vectors of the texts [K, E].
        pictures: unit vectors of the pictures [K, E].
    """

    rows: Tensor
    groups: Tensor
    texts: Tensor
    pictures: Tensor

    @classmethod
    def empty(cls, vector_size: int, device: torch.device) -> "VectorQueue":
        """Start without any."""
        numbers = torch.zeros(0, dtype=torch.int64, device=device)
        vectors = torch.zeros(0, vector_size, device=device)
        return cls(numbers, numbers, vectors, vectors)

    def to(self, device: torch.device) -> "VectorQueue":
        """Copy everything to a device."""
        return VectorQueue(*(each.to(device) for each in (self.rows, self.groups, self.texts, self.pictures)))

    def without(self, rows_B: Tensor) -> "VectorQueue":
        """Leave out rows that are in the batch, whose fresh vectors are at hand."""
        stay_K = ~torch.isin(self.rows, rows_B)
        return VectorQueue(self.rows[stay_K], self.groups[stay_K], self.texts[stay_K], self.pictures[stay_K])

    def pushed(
        self, size: int, rows_B: Tensor, groups_B: Tensor, texts_BE: Tensor, pictures_BE: Tensor
    ) -> "VectorQueue":
        """Add a batch and forget the oldest above ``size``."""
        kept = self.without(rows_B)
        newest = slice(max(0, len(kept.rows) + len(rows_B) - size), None)
        return VectorQueue(
            torch.cat([kept.rows, rows_B])[newest],
            torch.cat([kept.groups, groups_B])[newest],
            torch.cat([kept.texts, texts_BE.detach()])[newest],
            torch.cat([kept.pictures, pictures_BE.detach()])[newest],
        )
