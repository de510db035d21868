"""Words to WordPiece ids."""

from fashionbert.text.tokenizer import learn_tokenizer, load_tokenizer
from fashionbert.text.words import NO_WORD, TokenizedTexts, tokenize

__all__ = ["NO_WORD", "TokenizedTexts", "learn_tokenizer", "load_tokenizer", "tokenize"]
