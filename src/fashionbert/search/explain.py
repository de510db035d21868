"""Why a card was found: what each word of the query does to the match, and which patches it looks at.

Letters: W words, P patches, V variants, T tokens, K size of a place's vector.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashionbert.images.patches import patch_frame
from fashionbert.scoring import KeptPictures, match_probability

MOST_WORDS = 40
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
UNMATCHED_BELOW = -0.5
"""Log-odds that a word takes from the match, from which on it is said not to match. Words such as "with" lie around 0,
most of them within 0.5 (docs/log.md, 2026-11-27)."""


@dataclass(frozen=True, slots=True)
class WordReason:
    """One word of a query, as the model sees it on one picture.

    Attributes:
        text: the word.
        start: its first character in the query.
        end: behind its last one.
        gain: log-odds of the match with the word, less those of the query without it.
        patches: how much more like the word each patch is than the mean patch, the likest 1: rows of the grid; empty
            where the model compares no single patches.
    """

    text: str
    start: int
    end: int
    gain: float
    patches: tuple[tuple[float, ...], ...]

    @property
    def matched(self) -> bool:
        """Whether the picture does not speak against the word."""
        return self.gain >= UNMATCHED_BELOW


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a picture matches a query, or does not.

    Attributes:
        words: of the query, the first ``MOST_WORDS`` that the model reads.
        probability: of a match, by the pair model.
        frame: left, top, width and height of the grid of patches, in shares of the picture's width and height; beyond 0
            and 1 where the picture was padded.
    """

    words: tuple[WordReason, ...]
    probability: float
    frame: tuple[float, float, float, float]


def explain(kept: KeptPictures, text: str, record: NDArray[np.void], size: tuple[int, int]) -> Explanation:
    """Score the query with and without each of its words, and compare its words with the patches.

    Args:
        kept: of the model.
        text: the query.
        record: a kept picture [1].
        size: width and height of the picture, of which only the shape counts.

    Returns:
        The reasons.
    """
    words = [(found.start(), found.end()) for found in _WORD.finditer(text)][:MOST_WORDS]
    without = [f"{text[:start]}{text[end:]}" for start, end in words]
    texts = [text, *without]
    margins = kept.margins(texts, np.arange(len(texts)), record, np.zeros(len(texts), np.int64))
    maps = _word_maps(kept, text, words, record)
    reasons = tuple(
        WordReason(text[start:end], start, end, float(margins[0] - margins[1 + number]), grid)
        for number, ((start, end), grid) in enumerate(zip(words, maps, strict=True))
    )
    frame = patch_frame(*size, kept.scorer.processor.extractor.settings)
    return Explanation(reasons, float(match_probability(margins[:1])[0]), frame)


def _word_maps(
    kept: KeptPictures, text: str, words: Sequence[tuple[int, int]], record: NDArray[np.void]
) -> list[tuple[tuple[float, ...], ...]]:
    tokens_TK = kept.places_of_text(text)
    if tokens_TK is None:
        return [()] * len(words)
    spans = kept.scorer.processor.token_spans(text)
    patches_PK = _upright(record["places"][0].astype(np.float32))
    cosines_TP = tokens_TK @ patches_PK.T
    maps = []
    for start, end in words:
        inside = [number for number, (first, last) in enumerate(spans) if first < end and last > start]
        maps.append(_as_grid(cosines_TP[inside].mean(axis=0)) if inside else ())
    return maps


def _upright(places_VPK: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of a patch over the picture and its mirror image, whose columns run the other way."""
    variants, patches, size = places_VPK.shape
    grid = round(patches**0.5)
    upright = places_VPK.reshape(variants, grid, grid, size).copy()
    upright[1:] = upright[1:, :, ::-1]
    return upright.mean(axis=0).reshape(patches, size)


def _as_grid(likeness_P: NDArray[np.float32]) -> tuple[tuple[float, ...], ...]:
    above = np.maximum(likeness_P - likeness_P.mean(), 0.0)
    shares = above / max(float(above.max()), 1e-6)
    grid = round(len(shares) ** 0.5)
    return tuple(tuple(round(float(value), 3) for value in row) for row in shares.reshape(grid, grid))
