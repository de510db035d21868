"""Scores and rankings of pairs as users hold them, however their margins are come by.

Letters: N pairs.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fashionbert.scoring.probability import match_probability
from fashionbert.scoring.ranking import Ranked, pairs_to_rank
from fashionbert.types import ImageInput, Pair


class MarginScorer(ABC):
    """What gives the margin of a pair scores pairs and ranks candidates; a :class:`~fashionbert.types.PairScorer`."""

    @abstractmethod
    def margins_of(self, texts: Sequence[str], pictures: Sequence[ImageInput]) -> NDArray[np.float32]:
        """Give the margins ``logit(match) - logit(no match)`` of pairs [N]; a picture in many of them is read once."""

    def score(self, pairs: Sequence[Pair]) -> NDArray[np.float32]:
        """Score pairs; a picture that occurs in several of them passes the patch network once.

        Args:
            pairs: texts, each with a picture as users hold it.

        Returns:
            Match probabilities, float32 [N] in [0, 1].

        Raises:
            PictureError: a picture cannot be used; its message names it.
            TypeError: a text is no string; its message names it.
            RunError: the model has not learnt to score pairs.
        """
        texts, pictures = [text for text, _ in pairs], [picture for _, picture in pairs]
        return match_probability(self.margins_of(texts, pictures)).astype(np.float32)

    def rank(
        self, query: str | ImageInput, candidates: Sequence[str | ImageInput], top_k: int | None = None
    ) -> list[Ranked]:
        """Order candidates by how well they match the query.

        A string as query is a text, and string candidates are then paths of pictures; unless it names a file and no
        candidate does: then it is a picture and they are texts. Bytes, ``pathlib.Path`` and PIL are always pictures.

        Args:
            query: a text, or a picture.
            candidates: pictures for a text, texts for a picture.
            top_k: at most so many, 1 or more; None: all.

        Returns:
            Candidates by their place in the list, best first; ties keep the given order.

        Raises:
            PictureError: a picture cannot be used.
            TypeError: some candidates are strings and others are not, or query and candidates are all pictures.
            ValueError: ``top_k`` is below 1.
            RunError: the model has not learnt to score pairs.
        """
        if top_k is not None and top_k < 1:
            raise ValueError(f"top_k = {top_k} must be at least 1; None gives all")
        margins = self.margins_of(*pairs_to_rank(query, candidates))
        scores = match_probability(margins).astype(np.float32)
        order = np.argsort(-margins, kind="stable")[:top_k]  # near 1 probabilities are equal, margins are not
        return [Ranked(int(index), float(scores[index])) for index in order]
