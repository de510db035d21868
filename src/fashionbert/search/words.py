"""Words of a query against the words of every text, in memory beside the vectors.

Letters: R rows (pictures), n words of a text, or pairs of a word and a row that holds it.
"""

import re
import unicodedata
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_K1, _B = 1.2, 0.75
"""Of BM25: how soon a repeated word counts no more, and how much long texts are held back."""
_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['\u2019]s\b")
_LONGEST_WORD = 64
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be but by for from has have in into is it its no not of off on or our so such that the "
        "their these they this to was were which will with you your"
    )
)


def word_ids(text: str) -> NDArray[np.uint32]:
    """Number the words of a text: without case, accents and English endings; stop words are left out.

    Args:
        text: of a product, or a query.

    Returns:
        A hash of each word, in order [n]. Among a hundred thousand words one or two pairs share theirs.
    """
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    words = _WORD.findall(_POSSESSIVE.sub("", plain.casefold()))
    kept = [word[:_LONGEST_WORD] for word in words if word not in _STOP_WORDS]
    return np.fromiter(map(_word_id, kept), np.uint32, len(kept))


class WordIndex:
    """Which rows hold which word, and what it counts for there: BM25 (Robertson and Zaragoza, 2009)."""

    def __init__(self, words: pa.ListArray) -> None:
        """Take the words of all rows, as :func:`word_ids` numbers them."""
        lengths_R = words.value_lengths().to_numpy().astype(np.int64)
        rows = np.repeat(np.arange(len(words), dtype=np.uint64), lengths_R)
        keys = words.flatten().to_numpy().astype(np.uint64) << np.uint64(32) | rows
        keys, counts_n = np.unique(keys, return_counts=True)
        counts_n = counts_n.astype(np.float32)
        self._rows = (keys & np.uint64(0xFFFFFFFF)).astype(np.int32)
        words_n = (keys >> np.uint64(32)).astype(np.uint32)
        starts = np.flatnonzero(np.diff(words_n, prepend=~words_n[:1]))
        self._words, self._ends = words_n[starts], np.append(starts, len(keys))
        mean = max(1.0, float(lengths_R.mean()) if len(words) else 0.0)
        damping_R = _K1 * (1 - _B + _B * lengths_R.astype(np.float32) / np.float32(mean))
        self._impacts = counts_n * np.float32(_K1 + 1) / (counts_n + damping_R[self._rows])
        self._total = len(words)

    def scores(self, text: str) -> NDArray[np.float32]:
        """Say how well each row's text holds words of another one.

        Args:
            text: the query.

        Returns:
            BM25 with Lucene's inverse document frequency, which is never negative [R]; 0: it holds none of them.
        """
        scores_R = np.zeros(self._total, np.float32)
        for word in np.unique(word_ids(text)):
            place = int(np.searchsorted(self._words, word))
            if place == len(self._words) or self._words[place] != word:
                continue
            here = slice(self._ends[place], self._ends[place + 1])
            rows = self._rows[here]
            rarity = np.log1p((self._total - len(rows) + 0.5) / (len(rows) + 0.5)).astype(np.float32)
            scores_R[rows] += rarity * self._impacts[here]  # each row is there once
        return scores_R


@lru_cache(maxsize=100_000)
def _word_id(word: str) -> int:
    return zlib.crc32(_stemmer().stemWord(word).encode())


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    # Here: of the extra "search", like the table that the numbers are kept in. And by name: stemmer() takes whatever is
    # installed, of another version perhaps, which would give words other numbers than those in the table.
    from snowballstemmer.english_stemmer import EnglishStemmer

    return EnglishStemmer()
