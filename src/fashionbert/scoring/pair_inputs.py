"""Pairs as users hold them become WordPieces and patch features, whatever scores them then.

Letters: N pairs, V different pictures, P patches, F feature size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionbert.scoring.processor import FashionBertProcessor
from fashionbert.scoring.ranking import refuse_no_texts
from fashionbert.text import TokenizedTexts, tokenize
from fashionbert.types import ImageInput


@dataclass(frozen=True, slots=True)
class PairInputs:
    """What a pair model reads of pairs.

    Attributes:
        texts: text of each pair.
        picture_of: which of the different pictures each pair has [N].
        views: features of the pictures [V, P, F], float16, and then of their mirror images where the model reads both:
            a pair's margin is the mean over the views.
    """

    texts: TokenizedTexts
    picture_of: NDArray[np.int64]
    views: tuple[NDArray[np.float16], ...]


def prepare_pairs(processor: FashionBertProcessor, texts: Sequence[str], pictures: Sequence[ImageInput]) -> PairInputs:
    """Tokenise texts and extract pictures, one that occurs in many pairs once.

    Args:
        processor: the model's own.
        texts: one for each pair.
        pictures: one for each pair, as users hold them.

    Returns:
        The inputs.

    Raises:
        PictureError: a picture cannot be used; its message names it.
        TypeError: a text is no string; its message names it.
    """
    tokens = tokenize_texts(processor, texts)
    places: dict[object, int] = {}
    picture_of = np.asarray([places.setdefault(_identity(picture), len(places)) for picture in pictures], np.int64)
    several = [pictures[first] for first in np.unique(picture_of, return_index=True)[1]]
    sides = (False, True) if processor.mirrored else (False,)
    views = tuple(processor.extractor.extract(several, mirrored=side) for side in sides)
    return PairInputs(tokens, picture_of, views)


def tokenize_texts(processor: FashionBertProcessor, texts: Sequence[str]) -> TokenizedTexts:
    """Cut texts to WordPieces as the model reads them; TypeError names a text that is none."""
    refuse_no_texts(texts)
    return tokenize(processor.tokenizer, texts, processor.max_text_tokens)


def _identity(picture: ImageInput) -> object:
    return picture if isinstance(picture, str | bytes | Path) else id(picture)
