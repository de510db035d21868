"""From rows that were recalled and read to an answer: order, cards, and whether anything matches at all.

A calibration was fitted on one kind of query, words alone, and holds for that kind. With a picture, unwanted words or
products to be like, the log-odds are of other texts, or of several at once, or the cards were recalled otherwise: to
the same figure belongs another share of right ones, which nobody has measured. There a card keeps the pair model's
probability as a score and has no confidence, and "nothing here matches" is not said. Filters and hidden products take
cards off the shelf and change neither what is read nor with what; they count as words alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionbert.search.calibration import Calibration
from fashionbert.search.query import Answer, Hit, Query
from fashionbert.search.recall import Recalled, reciprocal, standardised
from fashionbert.search.rerank import Reranked
from fashionbert.search.shelf import Shelf


def answer_of(
    query: Query, found: Recalled, scored: Reranked | None, shelf: Shelf, calibration: Calibration | None
) -> Answer:
    """Order what was found, and make cards of the first.

    Args:
        query: the question.
        found: rows that the vectors recalled, best first.
        scored: what the pair model says of the first of them; None where it was not asked.
        shelf: where the rows lie.
        calibration: of the index; without it, or for another kind of query than it was fitted on, no card has a
            confidence.

    Returns:
        The answer, without its times.
    """
    order = np.arange(len(found.rows))
    probabilities = confidences = None
    if scored is not None:
        order[: len(scored.margins)] = _order(query, found, scored.margins)
        probabilities = scored.probabilities
        if calibration is not None and _is_words_alone(query):
            confidences = calibration.confidence(scored.margins)
    shown = order[: query.top]
    cards = shelf.cards_of(found.rows[shown])
    hits = [
        _hit(card, float(found.scores[place]), _at(probabilities, place), _at(confidences, place))
        for card, place in zip(cards, shown.tolist(), strict=True)
    ]
    return Answer(
        hits=tuple(hits),
        matches=found.matches,
        reranked=0 if scored is None else min(len(scored.margins), len(shown)),
        pairs=0 if scored is None else len(scored.margins),
        nothing_matches=_nothing_matches(hits, calibration),
        calibrated=calibration is not None,
        version=shelf.version,
    )


def _is_words_alone(query: Query) -> bool:
    """Whether a query is of the kind that calibrations are fitted on."""
    others = (query.image is not None, query.unwanted, query.more_like, query.less_like)
    return bool(query.text.strip()) and not any(others)


def _order(query: Query, found: Recalled, margins: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order the first cards by the pair model, joined with the order of their words by reciprocal ranks.

    A model that has learnt from long texts to tell look-alikes apart may not mind whether a dress is a jumpsuit, and a
    shop's words do (docs/log.md, 2026-11-27). Without words it is the pair model's order.
    """
    count = len(margins)
    by_model = np.argsort(-_wishes(query, margins, found.scores[:count]), kind="stable")
    places = np.empty(count)
    places[by_model] = np.arange(count)
    joined = reciprocal(places) + reciprocal(found.word_ranks[:count])
    return np.lexsort((places, -joined))


def _wishes(query: Query, margins: NDArray[np.float64], scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the first cards are ordered by: the pair model, and the vectors too where products say what is wanted.

    The pair model reads words with pictures and cannot be asked whether two products are alike.
    """
    if not (query.more_like or query.less_like):
        return margins
    return standardised(margins) + standardised(scores)


def _nothing_matches(hits: Sequence[Hit], calibration: Calibration | None) -> bool:
    threshold = None if calibration is None else calibration.threshold
    confidences = [hit.confidence for hit in hits if hit.confidence is not None]
    return threshold is not None and bool(confidences) and max(confidences) < threshold


def _hit(card: Mapping[str, Any], recall_score: float, probability: float | None, confidence: float | None) -> Hit:
    return Hit(**card, recall=recall_score, probability=probability, confidence=confidence)


def _at(values: NDArray[np.float64] | None, place: int) -> float | None:
    return None if values is None or place >= len(values) else float(values[place])
