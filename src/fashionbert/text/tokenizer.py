"""WordPieces: a backbone's own tokenizer, or one learnt from the catalogue where there is no backbone."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from transformers import AutoTokenizer, BertTokenizer, PreTrainedTokenizerFast

from fashionbert.errors import RunError

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def load_tokenizer(source: str | Path) -> PreTrainedTokenizerFast:
    """Load a BERT tokenizer; it must be a fast one, which knows the word that each piece belongs to.

    Args:
        source: a folder, or an id of the hub.

    Returns:
        The tokenizer.

    Raises:
        RunError: none can be loaded, or it is not fast, knows no words, or lacks [CLS], [SEP], [MASK] or [PAD].
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(source))
    except (OSError, ValueError, KeyError) as error:
        raise RunError(
            f"no tokenizer at {source}: {error}. Name a folder or hub id that has a tokenizer.json"
        ) from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise RunError(
            f"the tokenizer at {source} is a {type(tokenizer).__name__}; a fast one (tokenizer.json) is needed"
        )
    missing = [
        name for name in ("cls_token", "sep_token", "mask_token", "pad_token") if getattr(tokenizer, name) is None
    ]
    if missing:
        raise RunError(f"the tokenizer at {source} has no {', '.join(missing)}: FashionBERT needs a BERT tokenizer")
    if len(tokenizer) <= len(tokenizer.all_special_ids):  # what transformers makes of a folder without its tokenizer
        raise RunError(
            f"no tokenizer at {source}: it knows no words. Name a folder or hub id that has a tokenizer.json"
        )
    return tokenizer


def learn_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Make a lower-case WordPiece tokenizer from a catalogue's own words.

    The vocabulary holds the special tokens, every character (alone and as continuation, so that no word is unknown)
    and the most frequent words that occur twice or more, ties in alphabetical order: the same texts always give the
    same ids, which the trainers of the tokenizers library do not promise.

    Args:
        texts: every text of the training split.
        vocabulary: WordPieces at most; more only where special tokens and characters alone are more.

    Returns:
        The tokenizer.
    """
    empty = BertTokenizer(vocab={token: number for number, token in enumerate(SPECIAL_TOKENS)})
    normalizer, splitter = empty.backend_tokenizer.normalizer, empty.backend_tokenizer.pre_tokenizer
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    characters = sorted({character for word in counts for character in word})
    pieces = [*SPECIAL_TOKENS, *characters, *(f"##{character}" for character in characters)]
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    words = [word for word in frequent if counts[word] > 1 and len(word) > 1]
    tokens = [*pieces, *words][: max(vocabulary, len(pieces))]
    return BertTokenizer(vocab={token: number for number, token in enumerate(tokens)})
