"""Texts read once for the several stages that ask for them: a query is compared by its vector, then read with cards."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import reduce

import numpy as np
import torch
from numpy.typing import NDArray

from fashionbert.scoring.ranking import refuse_no_texts
from fashionbert.scoring.scorer import Scorer
from fashionbert.scoring.sides import ReadSides

_USUAL_SIZE = 64


class RememberedTexts:
    """Reads texts and remembers those that were read last."""

    def __init__(self, scorer: Scorer, size: int = _USUAL_SIZE) -> None:
        """Take a scorer.

        Args:
            scorer: reads them.
            size: texts that are remembered; more than so many at once are read and not remembered.
        """
        self._scorer, self._size = scorer, size
        self._known: OrderedDict[str, ReadSides] = OrderedDict()

    def read(self, texts: Sequence[str]) -> tuple[ReadSides, NDArray[np.int64]]:
        """Read texts; the scorer's arithmetic must be on.

        Args:
            texts: one or more.

        Returns:
            What was read, a row for each, and their lengths in WordPieces.

        Raises:
            TypeError: a text is no string.
        """
        refuse_no_texts(texts)
        if len(set(texts)) > self._size:
            tokens = self._scorer.tokenize(texts)
            return self._scorer.sides.texts(tokens, np.arange(len(texts))), tokens.lengths
        self._learn([text for text in dict.fromkeys(texts) if text not in self._known])
        for text in texts:
            self._known.move_to_end(text)
        while len(self._known) > self._size:
            self._known.popitem(last=False)
        rows = [self._known[text] for text in texts]
        lengths = np.asarray([row.states.mask.shape[1] for row in rows], np.int64)
        return reduce(ReadSides.above, rows), lengths

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give the vectors that :meth:`Scorer.encode_texts` gives, for nothing where reading pairs needs them too.

        Args:
            texts: any number.

        Returns:
            Unit vectors [N, E].

        Raises:
            ValueError: the model has no vector head.
            TypeError: a text is no string.
        """
        if not texts or self._scorer.model.side_agreement is None:
            return self._scorer.encode_texts(texts)
        with self._scorer.arithmetic():
            read, _ = self.read(texts)
        assert read.vectors is not None, "the alignment logits ask for them"
        return read.vectors.pooled.float().cpu().numpy()

    def forget(self) -> None:
        """Remember nothing, as before the first text."""
        self._known.clear()

    def _learn(self, texts: Sequence[str]) -> None:
        tokens = self._scorer.tokenize(texts)
        if not texts:
            return
        read = self._scorer.sides.texts(tokens, np.arange(len(texts)))
        for row, (text, length) in enumerate(zip(texts, tokens.lengths, strict=True)):
            at = torch.tensor([row], device=self._scorer.device)
            vectors = None if read.vectors is None else read.vectors[at].narrowed(int(length))
            self._known[text] = ReadSides(read.states[at].narrowed(int(length)), vectors)
