"""Reading the sides of pairs once, however many pairs they are in.

Letters: B sides of a batch, T text tokens, P patches, F feature size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from numpy.typing import NDArray

from fashionbert.data import TextBatch, pad_texts
from fashionbert.model import FashionBertForMatching, Side, SideVectors
from fashionbert.scoring.processor import FashionBertProcessor
from fashionbert.text import TokenizedTexts, tokenize

ReadFeatures = Callable[[NDArray[np.int64]], NDArray[np.floating]]
"""Patch features [n, P, F] of rows [n]."""


@dataclass(frozen=True, slots=True)
class ReadSides:
    """Texts or pictures, read up to the layer where they meet.

    Attributes:
        states: hidden states of their places.
        vectors: what they say of themselves; None where the alignment logits do not ask for it.
    """

    states: Side
    vectors: SideVectors | None

    def above(self, other: "ReadSides") -> "ReadSides":
        """Put another's rows below one's own."""
        vectors = None if self.vectors is None or other.vectors is None else self.vectors.above(other.vectors)
        return ReadSides(self.states.above(other.states), vectors)


class SideReader:
    """Reads texts and pictures up to the layer where they meet, a batch at a time."""

    def __init__(
        self, model: FashionBertForMatching, processor: FashionBertProcessor, device: torch.device, batch_size: int
    ) -> None:
        """Take a model that is on its device.

        Args:
            model: in evaluation mode.
            processor: the model's own.
            device: where the model is.
            batch_size: sides read at once.
        """
        self._model, self._device, self._batch_size = model, device, batch_size
        self._pad_id = int(processor.tokenizer.pad_token_id)  # pyright: ignore[reportArgumentType]
        self.frame = self.prepare_texts(tokenize(processor.tokenizer, [""], 2), np.zeros(1, np.int64))
        """``[CLS] [SEP]``, behind which a picture stands when it is read by itself."""

    def prepare_texts(self, texts: TokenizedTexts, rows: NDArray[np.int64]) -> TextBatch:
        """Pad texts to the longest of them and bring them to the device."""
        return pad_texts([texts[int(row)][0] for row in rows], self._pad_id).to(self._device)

    def frames(self, count: int) -> TextBatch:
        """:attr:`frame` for so many pictures."""
        return TextBatch(self.frame.input_ids.expand(count, -1), self.frame.attention_mask.expand(count, -1))

    def texts(self, texts: TokenizedTexts, rows: NDArray[np.int64]) -> ReadSides:
        """Read texts, each once; they come back in the order of ``rows``."""
        states = self._read_texts(texts, rows)
        return ReadSides(states, self._vectors_of_texts(states) if self._asks_for_vectors else None)

    def pictures(self, read: ReadFeatures, rows: NDArray[np.int64], *, vectors: bool = False) -> ReadSides:
        """Read pictures whose patch features are at hand; ``vectors`` asks for theirs in any case."""
        states = self._read_pictures(read, rows)
        return ReadSides(states, self._vectors_of_pictures(states) if vectors or self._asks_for_vectors else None)

    @property
    def _asks_for_vectors(self) -> bool:
        return self._model.side_agreement is not None

    def _read_texts(self, texts: TokenizedTexts, rows: NDArray[np.int64]) -> Side:
        """Read shortest first, so that padding stays small."""
        sides = []
        order = np.argsort(texts.lengths[rows], kind="stable")
        for start in range(0, len(order), self._batch_size):
            batch = self.prepare_texts(texts, rows[order[start : start + self._batch_size]])
            sides.append(self._model.fashionbert.read_texts(batch.input_ids, batch.attention_mask))
        return reduce(Side.above, sides)[torch.from_numpy(np.argsort(order)).to(self._device)]

    def _read_pictures(self, read: ReadFeatures, rows: NDArray[np.int64]) -> Side:
        sides = []
        for start in range(0, len(rows), self._batch_size):
            features_BPF = torch.from_numpy(read(rows[start : start + self._batch_size])).to(self._device)
            sides.append(self._model.fashionbert.read_pictures(features_BPF))
        return reduce(Side.above, sides)

    def _vectors_of_texts(self, texts: Side) -> SideVectors:
        batches = self._rows(texts).split(self._batch_size)
        return reduce(SideVectors.above, [self._model.vectors_of_texts(texts[rows]) for rows in batches])

    def _vectors_of_pictures(self, pictures: Side) -> SideVectors:
        frame = self._model.fashionbert.read_texts(self.frame.input_ids)
        batches = self._rows(pictures).split(self._batch_size)
        return reduce(SideVectors.above, [self._model.vectors_of_pictures(frame, pictures[rows]) for rows in batches])

    def _rows(self, side: Side) -> torch.Tensor:
        return torch.arange(len(side.hidden), device=self._device)
