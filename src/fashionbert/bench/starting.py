"""From nothing to the first answer, in a fresh process each time, beside what importing torch and a BERT costs."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Self

import numpy as np
from transformers import BertConfig, BertModel

from fashionbert.bench.contender import Contender, MissingRivalError
from fashionbert.model import FashionBertConfig
from fashionbert.scoring import read_settings
from fashionbert.search.manifest import Manifest

BERT = "transformers BERT loaded"
PYTHON, TORCH = "python alone", "import torch"
_SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
)
_LOAD_BERT = "import sys; from transformers import BertModel; BertModel.from_pretrained(sys.argv[1])"
_FIRST_SCORE = (
    "import sys, numpy; from fashionbert import Scorer; "
    "Scorer.from_pretrained(sys.argv[1]).score([('red dress', numpy.zeros((224, 168, 3), 'uint8'))])"
)
_FIRST_ANSWER = (
    "import sys; from fashionbert.search import Query, SearchEngine; "
    "engine = SearchEngine.open(sys.argv[1], model=sys.argv[2] or None); "
    "engine.search(Query(text='red dress', rerank=engine.cards))"
)


class Fresh:
    """A contender of which every turn is a Python process from its start to its end; its arguments are its ``words``.

    How much memory it takes is not known: what the system says of an ended process begins with the peak of the one that
    started it.
    """

    def __init__(self, contender: Contender) -> None:
        """Run it for the first time, when its files may have to come from the disk.

        Args:
            contender: who takes part.

        Raises:
            MissingRivalError: the process ends with an error.
        """
        self._words: Sequence[str] = contender.arguments["words"]
        self.start_seconds = self._once()
        self.answer = np.zeros(0, np.float32)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left running."""

    def seconds(self) -> list[float]:
        """Run it once more and say how long it took."""
        return [self._once()]

    def peak_bytes(self) -> int:
        """Unknown, 0."""
        return 0

    def _once(self) -> float:
        started = perf_counter()
        done = subprocess.run(
            [sys.executable, *self._words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        seconds = perf_counter() - started
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise MissingRivalError(*last or [f"its process ended with {done.returncode}"])
        return seconds


def start_contenders(
    run: Path, folder: Path, *, index: Path | None = None, model: Path | None = None
) -> list[Contender]:
    """Write a BERT of the run's size, and name who takes part.

    Args:
        run: run folder of the model that gives the first score.
        folder: for the BERT, empty.
        index: folder of an index that gives a first answer; None: it is left out.
        model: the index's run folder, where it is no longer where it was.

    Returns:
        Contenders for :class:`Fresh`.

    Raises:
        RunError: there is no run.
        SearchIndexError: there is no index.
    """
    read_settings(run)
    if index is not None:
        Manifest.read(index)
    config = FashionBertConfig.from_pretrained(run)
    BertModel(BertConfig(**{name: getattr(config, name) for name in _SIZES})).save_pretrained(folder)

    def contender(name: str, against: str, *words: str) -> Contender:
        return Contender(name=name, make="python", arguments={"words": words}, against=against)

    found = [
        contender(PYTHON, PYTHON, "-c", ""),
        contender("import fashionbert", PYTHON, "-c", "import fashionbert"),
        contender("fashionbert --help", TORCH, "-m", "fashionbert", "--help"),
        contender(TORCH, TORCH, "-c", "import torch"),
        contender(BERT, BERT, "-c", _LOAD_BERT, str(folder)),
        contender("Scorer, first score", BERT, "-c", _FIRST_SCORE, str(run)),
    ]
    if index is not None:
        words = ("-c", _FIRST_ANSWER, str(index), "" if model is None else str(model))
        found.append(contender("index, first answer", BERT, *words))
    return found
