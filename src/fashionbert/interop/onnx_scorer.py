"""Pairs scored by an exported model.

Letters: N pairs, B pairs of a batch, T text tokens, P patches, F feature size.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fashionbert.data import pad_texts
from fashionbert.interop.onnx_folder import graph_of
from fashionbert.interop.onnx_session import PairSession
from fashionbert.scoring import FashionBertProcessor
from fashionbert.scoring.margins import MarginScorer
from fashionbert.scoring.pair_inputs import prepare_pairs
from fashionbert.types import ImageInput


class OnnxScorer(MarginScorer):
    """Gives the scores of :class:`~fashionbert.scoring.Scorer` by ONNX Runtime: the pair model alone, on the CPU.

    It is a :class:`~fashionbert.types.PairScorer`. Pictures pass the patch network by torch, as they do there.
    """

    def __init__(self, session: PairSession, processor: FashionBertProcessor, *, batch_size: int = 32) -> None:
        """Take a loaded graph; :meth:`from_pretrained` loads one.

        Args:
            session: of the model.
            processor: the model's own.
            batch_size: pairs scored at once.
        """
        self.session, self.processor, self.batch_size = session, processor, batch_size
        self._pad_id = int(processor.tokenizer.pad_token_id)  # pyright: ignore[reportArgumentType]

    @classmethod
    def from_pretrained(cls, path: str | Path, *, int8: bool = False, threads: int | None = None) -> Self:
        """Load a folder that :func:`~fashionbert.interop.export_onnx` wrote.

        Args:
            path: the folder.
            int8: take the graph with 8-bit weights.
            threads: of the pair model; None: as many as ONNX Runtime takes.

        Returns:
            A scorer that is ready to use.

        Raises:
            RunError: files are missing or changed, or there is no such graph.
            MissingExtraError: ONNX Runtime is not installed.
        """
        folder = Path(path)
        session = PairSession(graph_of(folder, int8=int8), threads)
        return cls(session, FashionBertProcessor.from_pretrained(folder))

    def margins_of(self, texts: Sequence[str], pictures: Sequence[ImageInput]) -> NDArray[np.float32]:
        """Give margins [N], the mean over the views of the pictures; shortest texts first, so padding stays small."""
        inputs = prepare_pairs(self.processor, texts, pictures)
        margins = np.zeros(len(texts), np.float32)
        order = np.argsort(inputs.texts.lengths, kind="stable")
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            batch = pad_texts([inputs.texts[int(row)][0] for row in rows], self._pad_id)
            ids_BT, mask_BT = batch.input_ids.long().numpy(), batch.attention_mask.long().numpy()
            for features in inputs.views:
                features_BPF = features[inputs.picture_of[rows]].astype(np.float32)
                margins[rows] += self.session.margins(ids_BT, mask_BT, features_BPF) / len(inputs.views)
        return margins
