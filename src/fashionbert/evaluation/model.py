"""A trained model as systems that can be measured, with scores that survive an interruption.

Letters: M pairs, N products.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionbert.data import Examples
from fashionbert.evaluation.systems import Indices, ScorePairs, Scores, System, vector_system
from fashionbert.files import write_json
from fashionbert.scoring import Scorer, match_probability

PAIR = "pair model"
VECTORS = "vectors"

_MATRIX = "margins.npy"
_KEY = "margins.json"
_TRUE_ZERO = np.float32(1e-30)


def model_systems(scorer: Scorer, examples: Examples, cache: Path | None, key: str) -> list[System]:
    """Make systems of a model: its match probabilities, and the cosine of its vectors where it has a vector head.

    Args:
        scorer: the model.
        examples: one row for each product of the gallery, in its order.
        cache: folder that keeps pair scores, so that a long evaluation goes on where it was; None keeps none.
        key: what the scores depend on: weights, data, arithmetic. Kept scores of another key are thrown away.

    Returns:
        :data:`PAIR` where the model has learnt to score pairs, then :data:`VECTORS` where it has them.
    """

    def margins(texts: Indices, pictures: Indices) -> Scores:
        return scorer.score_rows(examples, texts, pictures)

    cached = margins if cache is None else KeptScores(cache, len(examples), key, margins)
    pair = System(
        name=PAIR,
        score_pairs=lambda texts, pictures: match_probability(cached(texts, pictures)),
        pairs_at_once=scorer.pairs_at_once,
    )
    systems = [pair] if scorer.scores_pairs else []
    if scorer.has_vectors:
        texts_NE = scorer.encode_tokens(examples.texts)
        pictures_NE = scorer.encode_features(examples.read_features, len(examples))
        systems.append(vector_system(VECTORS, texts_NE, pictures_NE))
    return systems


class KeptScores:
    """Scores of pairs in a sparse N x N file: what was scored before an interruption is not scored again."""

    def __init__(self, folder: Path, size: int, key: str, score_pairs: ScorePairs) -> None:
        """Open the file of this key or start a new one.

        Args:
            folder: where it lies.
            size: products, N.
            key: what the scores depend on.
            score_pairs: scores pairs that are not known yet.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._score_pairs = score_pairs
        described: dict[str, Any] = {"key": key, "size": size}
        if _read(folder / _KEY) != described or not _is_whole(folder / _MATRIX, size):
            (folder / _KEY).unlink(missing_ok=True)
            np.lib.format.open_memmap(folder / _MATRIX, mode="w+", dtype=np.float32, shape=(size, size)).flush()
            write_json(folder / _KEY, described)
        self._path = folder / _MATRIX
        self._known_NN: NDArray[np.float32] = np.lib.format.open_memmap(self._path, mode="r")

    def __call__(self, texts: Indices, pictures: Indices) -> NDArray[np.float32]:
        """Look scores up, scoring first those that are not there; a hole in the file reads as 0."""
        scores_M = self._known_NN[texts, pictures]
        missing = np.flatnonzero(scores_M == 0)
        if len(missing):
            fresh = np.asarray(self._score_pairs(texts[missing], pictures[missing]), np.float32)
            fresh[fresh == 0] = _TRUE_ZERO
            scores_M[missing] = fresh
            self._keep(texts[missing] * len(self._known_NN) + pictures[missing], fresh)
        return scores_M

    def _keep(self, places: Indices, scores: NDArray[np.float32]) -> None:
        """Write scores at their places of the file, neighbours together.

        Not through the memory map: where the disk is full, writing to a hole of a mapped file kills the process.
        """
        order = np.argsort(places)
        ends = np.flatnonzero(np.diff(places[order]) != 1) + 1
        with self._path.open("rb+") as file:
            header = self._path.stat().st_size - self._known_NN.nbytes
            for run in np.split(order, ends):
                file.seek(header + int(places[run[0]]) * scores.itemsize)
                file.write(scores[run].tobytes())


def _is_whole(path: Path, size: int) -> bool:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False).shape == (size, size)
    except (OSError, ValueError):
        return False


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
