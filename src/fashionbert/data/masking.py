"""Which words and patches are hidden from the model; pure functions of arrays and a generator.

Every pair is masked alike, positive or negative: were only one kind masked, the mask itself would give the label away
(docs/explanation/model.md). Letters: B pairs, P patches, K WordPieces of one text.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashionbert.text import NO_WORD


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A text with words hidden.

    Attributes:
        ids: WordPieces as the model sees them [K].
        places: where a WordPiece must be predicted, ascending [M].
        labels: the ids that stood there [M].
    """

    ids: NDArray[np.int32]
    places: NDArray[np.int64]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordMasking:
    """How words are masked (paper section 1.3, google-research/bert ``create_pretraining_data``).

    Attributes:
        share: share of a text's WordPieces to hide, rounded, but room for one at least; 0 hides none.
        most: at most so many WordPieces in a text; None: no limit.
        mask_id: id of [MASK].
        ordinary_ids: the ids a random replacement may take (no special tokens).
    """

    share: float
    most: int | None
    mask_id: int
    ordinary_ids: NDArray[np.int32]


def mask_words(
    ids: NDArray[np.int32], words: NDArray[np.int16], masking: WordMasking, generator: np.random.Generator
) -> MaskedText:
    """Hide whole words: each of their pieces becomes [MASK] (80 %), a random piece (10 %) or stays (10 %).

    Words are taken in random order, leaving out those with more pieces than are still to be hidden: the share is never
    exceeded by more than rounding, and no word is hidden in part.

    Args:
        ids: WordPieces of one text, [CLS] and [SEP] included [K].
        words: the word each piece belongs to, :data:`~fashionbert.text.NO_WORD` where there is none [K].
        masking: how many and with what.
        generator: source of all choices.

    Returns:
        A changed copy with what stood there; nothing is hidden in a text whose words are all too long to fit.
    """
    real = np.flatnonzero(words != NO_WORD)
    allowance = max(1, round(masking.share * len(real))) if masking.share > 0 and len(real) else 0
    if masking.most is not None:
        allowance = min(allowance, masking.most)
    if allowance == 0:
        return MaskedText(ids.copy(), np.zeros(0, np.int64), np.zeros(0, np.int64))
    numbers, sizes = np.unique(words[real], return_counts=True)
    order = generator.permutation(len(numbers))
    chosen, used = [], 0
    for word in order:
        if used + sizes[word] <= allowance:
            chosen.append(numbers[word])
            used += int(sizes[word])
    places = np.flatnonzero(np.isin(words, np.asarray(chosen, words.dtype)))
    labels = ids[places].astype(np.int64)
    fate = generator.random(len(places))
    random_ids = generator.choice(masking.ordinary_ids, len(places))
    hidden = ids.copy()
    hidden[places] = np.where(fate < 0.8, masking.mask_id, np.where(fate < 0.9, random_ids, ids[places]))
    return MaskedText(hidden, places, labels)


def drop_words(
    ids: NDArray[np.int32], words: NDArray[np.int16], share: float, generator: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Leave whole words out of a text, ``round(share * words)`` of them, but never all.

    What :func:`mask_patches` with a share of dropped patches is to pictures: no two epochs see the same text, so a
    small catalogue is not learnt by heart, and the sequence is shorter.

    Args:
        ids: WordPieces of one text, [CLS] and [SEP] included [K].
        words: the word each piece belongs to, :data:`~fashionbert.text.NO_WORD` where there is none [K].
        share: share of the words.
        generator: source of the choice.

    Returns:
        The pieces that are left, and the word of each.
    """
    numbers = np.unique(words[words != NO_WORD])
    count = min(round(share * len(numbers)), len(numbers) - 1)
    if count <= 0:
        return ids, words
    kept = ~np.isin(words, generator.choice(numbers, count, replace=False))
    return ids[kept], words[kept]


def mask_patches(pairs: int, patches: int, share: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Choose ``round(share * P)`` different patches in each picture [B, P].

    The authors' code draws positions that may repeat; a repeated one would be multiplied by -1 there
    (reference code, section 2.2). Here a place is hidden or not.
    """
    count = round(share * patches)
    masked_BP = np.zeros((pairs, patches), np.bool_)
    if count:
        ranks_BP = generator.random((pairs, patches)).argsort(axis=1)
        masked_BP[np.arange(pairs)[:, None], ranks_BP[:, :count]] = True
    return masked_BP
