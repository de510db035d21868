"""A query through the search engine on an index, beside the bare encoder and the bare product of vectors.

Letters: N queries, E vector size.
"""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionbert.bench.contender import Contender, MissingRivalError, Work
from fashionbert.errors import SettingsError
from fashionbert.search import Query, SearchEngine
from fashionbert.search.manifest import Manifest
from fashionbert.search.shelf import Shelf

THIS = "fashionbert.bench.searching"
BARE = "bare encoder + product"
_FEWEST, _MOST = 2, 6
"""Words of a query."""


def search_contenders(
    index: Path, *, model: Path | None = None, cards: Sequence[int] = (20, 50, 100), queries: int = 50, seed: int = 0
) -> list[Contender]:
    """Name who takes part; in a turn each asks all queries, one after the other.

    Args:
        index: folder of the index.
        model: its run folder, where it is no longer where it was.
        cards: how many the pair model puts in order, each a contender.
        queries: N.
        seed: decides which words are asked.

    Returns:
        Contenders; what each gives is the figure of its best card: similarity, or probability where the pair model was
        asked. Each holds the index in a process of its own.

    Raises:
        SearchIndexError: there is no index.
    """
    Manifest.read(index)
    opening = {"index": str(index), "model": None if model is None else str(model), "queries": queries, "seed": seed}

    def contender(name: str, make: str, same_as: str = "", **arguments: Any) -> Contender:
        whole = {**opening, **arguments}
        return Contender(name=name, make=f"{THIS}:{make}", arguments=whole, laps=queries, against=BARE, same_as=same_as)

    return [
        contender("bare encoder", "encoder"),
        contender("bare product", "product", BARE),
        contender(BARE, "encoder_and_product"),
        contender("vectors alone", "answers", BARE, cards=0, words=False),
        contender("vectors and words", "answers", cards=0, words=True),
        *(contender(f"re-rank {count}", "answers", cards=count, words=True) for count in cards),
    ]


def answers(cards: int, words: bool, **opening: Any) -> Work:
    """Ask the engine, from words to cards."""
    engine, texts = _opened(**opening)
    asked = cycle([Query(text=text, rerank=cards, words=words) for text in texts])

    def work() -> NDArray[np.float32]:
        engine.kept.texts.forget()  # the queries come round again, a shopper's do not
        answer = engine.search(next(asked))
        if answer.pairs < cards:
            raise MissingRivalError(f"the index has {answer.matches:,} cards, fewer than {cards}")
        best = answer.hits[0]
        return np.asarray([best.recall if best.probability is None else best.probability], np.float32)

    return work


def encoder(**opening: Any) -> Work:
    """Words to a vector, and no more."""
    engine, texts = _opened(**opening)
    asked = cycle(texts)
    return lambda: _encoded(engine, next(asked))[0]


def product(**opening: Any) -> Work:
    """A vector at hand times those of all rows."""
    engine, texts = _opened(**opening)
    asked = cycle(engine.encoder.encode_texts(texts)[:, None])
    return lambda: _best(engine, next(asked))


def encoder_and_product(**opening: Any) -> Work:
    """The least that a search by vectors has to do."""
    engine, texts = _opened(**opening)
    asked = cycle(texts)
    return lambda: _best(engine, _encoded(engine, next(asked)))


def _encoded(engine: SearchEngine, text: str) -> NDArray[np.float32]:
    """A vector [1, E] of a text that nobody has asked before."""
    engine.kept.texts.forget()
    return engine.encoder.encode_texts([text])


def query_texts(shelf: Shelf, queries: int, seed: int) -> list[str]:
    """Draw what shoppers might type: a few words in a row out of the words of products.

    Args:
        shelf: of the index.
        queries: N.
        seed: decides which.

    Returns:
        At most N texts; fewer where rows have no words.

    Raises:
        SettingsError: no row that was drawn has words.
    """
    drawn = np.random.default_rng(seed)
    rows = drawn.integers(0, len(shelf), queries) if len(shelf) else np.empty(0, np.int64)
    texts = []
    for card in shelf.cards_of(rows):
        words, length = card["text"].split(), int(drawn.integers(_FEWEST, _MOST + 1))
        start = int(drawn.integers(0, max(1, len(words) - length + 1)))
        texts.append(" ".join(words[start : start + length]))
    if not any(texts):
        raise SettingsError("there is nothing to ask", [f"no row of {queries} that were drawn has words"])
    return [text for text in texts if text]


def _opened(index: str, model: str | None, queries: int, seed: int) -> tuple[SearchEngine, list[str]]:
    engine = SearchEngine.open(index, model=model)
    return engine, query_texts(engine.shelf, queries, seed)


def _best(engine: SearchEngine, vectors_1E: NDArray[np.float32]) -> NDArray[np.float32]:
    return engine.shelf.similarities(vectors_1E).max(axis=1)
