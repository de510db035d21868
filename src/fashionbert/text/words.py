"""Texts as WordPiece ids with the word each piece belongs to, for whole-word masking."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

NO_WORD = -1
"""Word number of [CLS] and [SEP], which are never masked."""

_BATCH = 4096


@dataclass(frozen=True, slots=True)
class TokenizedTexts:
    """The texts of a split, tokenised once and held as three flat arrays (about 6 bytes a WordPiece).

    Attributes:
        ids: WordPiece ids of all texts, one after the other, [CLS] and [SEP] included.
        words: for each of them the number of its word within its text, :data:`NO_WORD` at [CLS] and [SEP].
        starts: where each text begins; one more entry for the end of the last [N+1].
        cut: whether words of a text were left out because it was too long [N].
    """

    ids: NDArray[np.int32]
    words: NDArray[np.int16]
    starts: NDArray[np.int64]
    cut: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """WordPieces of each text [N]."""
        return np.diff(self.starts)

    def rows(self, rows: NDArray[np.int64]) -> "TokenizedTexts":
        """Take texts, in any order and any number of times each."""
        starts = np.concatenate([[0], np.cumsum(self.lengths[rows])])
        places = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], self.lengths[rows])
        return TokenizedTexts(self.ids[places], self.words[places], starts, self.cut[rows])

    def __getitem__(self, row: int) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
        part = slice(self.starts[row], self.starts[row + 1])
        return self.ids[part], self.words[part]


def tokenize(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], max_tokens: int) -> TokenizedTexts:
    """Tokenise texts as ``[CLS] words [SEP]``, cut to ``max_tokens``.

    A word is what the tokenizer's pre-tokenizer takes for one: the pieces of "round-neck" are three words.
    """
    ids, words, lengths, cut = [], [], [], []
    for piece_ids, piece_words, is_cut in _encode(tokenizer, texts, max_tokens):
        ids.append(piece_ids)
        words.append(piece_words)
        lengths.append(len(piece_ids))
        cut.append(is_cut)
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    if not ids:
        return TokenizedTexts(np.zeros(0, np.int32), np.zeros(0, np.int16), starts, np.zeros(0, np.bool_))
    return TokenizedTexts(np.concatenate(ids), np.concatenate(words), starts, np.asarray(cut))


def _encode(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], max_tokens: int
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int16], bool]]:
    for start in range(0, len(texts), _BATCH):
        batch = tokenizer(list(texts[start : start + _BATCH]), truncation=True, max_length=max_tokens)
        for row, piece_ids in enumerate(batch["input_ids"]):
            words = [NO_WORD if word is None else word for word in batch.word_ids(row)]
            cut = len(piece_ids) == max_tokens and bool(batch[row].overflowing)
            yield np.asarray(piece_ids, np.int32), np.asarray(words, np.int16), cut
