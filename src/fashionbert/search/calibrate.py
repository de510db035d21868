"""Fit an index's calibration on products whose right answer is known.

Letters: n hits, Q queries.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fashionbert.errors import QueryError
from fashionbert.scoring.probability import fit_line
from fashionbert.search.calibration import Calibration, choose_threshold
from fashionbert.search.engine import SearchEngine
from fashionbert.search.query import Answer, Query
from fashionbert.types import Product

_AT_ONCE = 8
_FEWEST = 20
"""Queries that a threshold must leave an answer; of fewer, a share of right ones would be luck."""


def calibrate(
    engine: SearchEngine,
    products: Sequence[Product],
    *,
    precision: float,
    rerank: int,
    generator: np.random.Generator,
    source: str,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Calibration:
    """Search the index with the texts of products, half of them hidden from it, and fit what makes the answers honest.

    A hit is right if it is of the query's group. For a query whose group is hidden every hit is wrong, as where a shop
    does not have what is asked for.

    Args:
        engine: of the index, which holds the products; its model must not have learnt from them.
        products: whose texts are the queries.
        precision: share of right ones among the best hits that are shown without a warning.
        rerank: cards that the pair model puts in order.
        generator: decides which are hidden.
        source: what the products are, for the record.
        progress: called with the queries answered and their number.

    Returns:
        The calibration, not yet written.

    Raises:
        QueryError: there are no products, one is not in the index, or none of the hits is right.
    """
    queries = [product for product in products if product.text.strip()]
    missing = [product.product_id for product in queries if product.product_id not in engine.shelf.place_of]
    if missing:
        raise QueryError(
            f"{len(missing):,} of {len(queries):,} products to calibrate on are not in the index", missing[:5]
        )
    if not queries:
        raise QueryError(
            "none of the products to calibrate on has words",
            ["name a split whose products are in the index and have texts"],
        )
    is_hidden_Q = generator.permutation(len(queries)) % 2 == 1
    answers: list[Answer] = []
    for start in range(0, len(queries), _AT_ONCE):
        batch = zip(queries[start : start + _AT_ONCE], is_hidden_Q[start : start + _AT_ONCE].tolist(), strict=True)
        answers += engine.search_many([_ask(product, hidden, rerank) for product, hidden in batch])
        progress(len(answers), len(queries))
    right = [
        [engine.is_same_group(hit.product_id, product.product_id) for hit in answer.hits]
        for product, answer in zip(queries, answers, strict=True)
    ]
    return _fit(answers, right, precision, source)


def _ask(product: Product, hidden: bool, rerank: int) -> Query:
    """Without words: a product's own text would find the product by its words, as no shopper's query does."""
    hidden_ids = (product.product_id,) if hidden else ()
    return Query(text=product.text, top=rerank, rerank=rerank, hidden=hidden_ids, words=False)


def _fit(answers: Sequence[Answer], right: Sequence[Sequence[bool]], precision: float, source: str) -> Calibration:
    probabilities_n = np.asarray([hit.probability for answer in answers for hit in answer.hits], np.float64)
    right_n = np.asarray([each for hits in right for each in hits], np.bool_)
    try:
        slope, offset = fit_line(_log_odds(probabilities_n), right_n)
    except ValueError as error:
        raise QueryError("the index cannot be calibrated", [str(error)]) from error
    line = Calibration(
        slope=slope,
        offset=offset,
        threshold=None,
        precision=precision,
        reached=0.0,
        answered=0.0,
        queries=len(answers),
        source=source,
    )
    best_Q = np.asarray([hits[0].probability if (hits := answer.hits) else 0.0 for answer in answers], np.float64)
    right_Q = np.asarray([bool(hits) and hits[0] for hits in right], np.bool_)
    threshold, reached, answered = choose_threshold(
        line.confidence(_log_odds(best_Q)), right_Q, precision, fewest=_FEWEST
    )
    return replace(line, threshold=threshold, reached=reached, answered=answered)


def _log_odds(probabilities: np.ndarray) -> np.ndarray:
    inside = np.clip(probabilities, 1e-12, 1 - 1e-12)
    return np.log(inside) - np.log1p(-inside)
