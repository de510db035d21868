"""Quality against latency on a catalogue of one's own: how many cards are worth re-ranking, by which model.

Letters: N products of the split, E vector size, K cards that the pair model may read.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionbert.data import Examples
from fashionbert.errors import SettingsError
from fashionbert.evaluation.full import best_candidates, put_on_top
from fashionbert.evaluation.gallery import Gallery
from fashionbert.evaluation.ranking import rank_gallery, recall_at
from fashionbert.evaluation.significance import mean_interval
from fashionbert.scoring import KeptPictures, Scorer
from fashionbert.types import Speed

NEEDED = "it needs a model with vectors that scores pairs, as preset fast trains it"
_TIMED_TEXTS, _TURNS = 12, 3
_ROUNDING = 1e-9
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One way to search.

    Attributes:
        run: whose model.
        speed: of its scorer.
        numbers: what its layers multiply: fp32, bf16 or int8.
        cards: that the pair model reads of what the vectors recall; 0: none.
        recall: share of the texts whose first hit is of their product's group.
        interval: 95 %, over queries.
        milliseconds: median of one query at a time, from words to order; pictures were read before.
    """

    run: str
    speed: Speed
    numbers: str
    cards: int
    recall: float
    interval: tuple[float, float]
    milliseconds: float


def measure_points(
    name: str,
    speed: Speed,
    scorer: Scorer,
    examples: Examples,
    gallery: Gallery,
    texts: Sequence[str],
    cards: Sequence[int],
    progress: Progress = lambda *_: None,
) -> list[Point]:
    """Measure one model with several numbers of cards.

    Args:
        name: of its run.
        speed: of the scorer.
        scorer: the model.
        examples: texts and patch features of the split.
        gallery: the same products.
        texts: the same texts as words, some of which are timed.
        cards: how many the pair model reads, each a point.
        progress: called with what is done, how much of it, and of how much.

    Returns:
        Points in the order of ``cards``.

    Raises:
        SettingsError: the model has no vectors, or has not learnt to score pairs.
    """
    if not scorer.has_vectors or not scorer.scores_pairs:
        raise SettingsError("there is no frontier", [f"{name}: {NEEDED}"])
    count = len(gallery)
    wanted = [min(each, count) for each in cards]
    texts_NE = scorer.encode_tokens(examples.texts)
    pictures_NE = scorer.encode_features(examples.read_features, count)
    first = partial(_products, texts_NE, pictures_NE)
    best_NK = best_candidates(first, count, max(wanted))
    second_NK = np.zeros(best_NK.shape, np.float32)
    if best_NK.size:
        rows = np.repeat(np.arange(count), best_NK.shape[1])
        scored = _counted(lambda done: progress("pairs", done, best_NK.size))
        second_NK = scorer.score_rows(examples, rows, best_NK.ravel(), scored).reshape(best_NK.shape)
    milliseconds = _milliseconds(scorer, examples, pictures_NE, texts[:_TIMED_TEXTS], wanted, progress)
    points = []
    for asked, taken in zip(cards, wanted, strict=True):

        def rows_of(queries: NDArray[np.int64], taken: int = taken) -> NDArray[np.floating[Any]]:
            if not taken:
                return first(queries)
            return put_on_top(first(queries), best_NK[queries, :taken], second_NK[queries, :taken])

        [ranks_N] = rank_gallery(rows_of, [gallery.groups])
        hits_N1 = (ranks_N <= 1).astype(np.float64)[:, None]
        low, high = mean_interval(hits_N1, np.arange(count), resamples=1000, rng=np.random.default_rng(0))[:, 0]
        points.append(
            Point(
                run=name,
                speed=speed,
                numbers=scorer.pace.numbers,
                cards=asked,
                recall=recall_at(ranks_N, 1),
                interval=(float(low), float(high)),
                milliseconds=milliseconds[taken],
            )
        )
    return points


def recommended(points: Sequence[Point], within: float = 0.01) -> Point:
    """Choose the fastest way whose recall is not below the best one's by more than ``within``."""
    best = max(point.recall for point in points)
    return min(
        (point for point in points if point.recall >= best - within - _ROUNDING), key=lambda point: point.milliseconds
    )


def figures(points: Sequence[Point], chosen: Point) -> dict[str, Any]:
    """All of it, for a JSON file."""
    return {"recommended": asdict(chosen), "points": [asdict(point) for point in points]}


def _products(
    texts_NE: NDArray[np.float32], pictures_NE: NDArray[np.float32], queries: NDArray[np.int64]
) -> NDArray[np.float32]:
    return texts_NE[queries] @ pictures_NE.T


def _milliseconds(
    scorer: Scorer,
    examples: Examples,
    pictures_NE: NDArray[np.float32],
    texts: Sequence[str],
    wanted: Sequence[int],
    progress: Progress,
) -> Mapping[int, float]:
    """Median milliseconds of one query by the number of cards, all numbers in turns."""
    kept = KeptPictures(scorer)
    most = max(1, *wanted)
    variants = [partial(examples.read_features, variant=variant) for variant in range(kept.variants)]
    records = kept.read_features(variants, most)
    taken: dict[int, list[float]] = {count: [] for count in wanted}
    for turn in range(_TURNS + 1):  # the first one warms up
        progress("turns", turn, _TURNS + 1)
        for text in texts:
            for count, seconds in taken.items():
                kept.texts.forget()
                started = time.perf_counter()
                similarities = kept.texts.vectors([text]) @ pictures_NE.T
                np.argpartition(similarities[0], -min(most, len(pictures_NE)))
                kept.margins([text], np.zeros(count, np.int64), records[:count], np.arange(count))
                if turn:
                    seconds.append(time.perf_counter() - started)
    return {count: 1000 * statistics.median(seconds) for count, seconds in taken.items()}


def _counted(report: Callable[[int], None]) -> Callable[[int], None]:
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        report(done)

    return more
