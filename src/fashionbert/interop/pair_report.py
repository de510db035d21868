"""The report of scored pair files: the figures of any evaluation, for the lists that the files hold.

Letters: M rows, Q queries.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fashionbert.evaluation.figures import direction_figures
from fashionbert.evaluation.matching import matching_figures
from fashionbert.evaluation.protocols import Direction, MatchingPairs
from fashionbert.evaluation.run import Ranking
from fashionbert.files import write_json
from fashionbert.interop.pair_scores import ScoredRows
from fashionbert.provenance import commit, versions
from fashionbert.scoring import match_probability

Score = Literal["probability", "logit1"]
"""What orders candidates: the probability of a match, or the raw logit of class 1 as in the authors' code."""
_RESAMPLES = 1000


def pair_report(scored: ScoredRows, direction: Direction, score: Score) -> dict[str, Any]:
    """Compute accuracy, AUC and recalls.

    A query's candidates are all rows with its id. A query without a right answer counts as missed.

    Args:
        scored: every row.
        direction: which side asked.
        score: what orders candidates; accuracy and AUC always go by the match probability.

    Returns:
        JSON values under the names of :mod:`fashionbert.evaluation.report`.
    """
    margins_M = scored.logits[:, 1] - scored.logits[:, 0]
    query_M = np.unique(scored.queries, return_inverse=True)[1]
    ranking = rank_rows(query_M, scored.labels, margins_M if score == "probability" else scored.logits[:, 1])
    rows_M = np.arange(len(margins_M))
    pairs = MatchingPairs(texts=rows_M, pictures=rows_M, labels=scored.labels, anchors=query_M)
    matching = matching_figures(
        pairs,
        match_probability(margins_M),
        probabilities=True,
        resamples=_RESAMPLES,
        rng=np.random.default_rng(0),
        margins_M=margins_M,
    )
    return {
        direction: direction_figures(ranking, resamples=_RESAMPLES, rng=np.random.default_rng(0)),
        "matching": _without_nan(asdict(matching)),
        "score": score,
        "warnings": _warnings(ranking, scored),
    }


def rank_rows(query_M: NDArray[np.int64], right_M: NDArray[np.bool_], scores_M: NDArray[np.float64]) -> Ranking:
    """Rank the best right answer of every query among its rows; ties count against the model.

    Args:
        query_M: number of each row's query, from 0 on without a gap.
        right_M: whether a row is a right answer.
        scores_M: higher is better.

    Returns:
        The ranks; infinite for a query without a right answer.
    """
    sizes_Q = np.bincount(query_M)
    best_Q = np.full(len(sizes_Q), -np.inf)
    np.maximum.at(best_Q, query_M[right_M], scores_M[right_M])
    ahead_M = ~right_M & (scores_M >= best_Q[query_M])
    relevant_Q = np.bincount(query_M[right_M], minlength=len(sizes_Q))
    ahead_Q = np.bincount(query_M[ahead_M], minlength=len(sizes_Q))
    return Ranking(
        queries=np.arange(len(sizes_Q)),
        draws=np.zeros(len(sizes_Q), np.int64),
        sizes=sizes_Q,
        relevant=relevant_Q,
        ranks=np.where(relevant_Q > 0, 1.0 + ahead_Q, np.inf),
    )


def write_pair_report(folder: Path, report: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write report.json and return its content.

    Args:
        folder: of the report.
        report: the figures.
        facts: what the caller knows besides.

    Returns:
        The content.
    """
    content = {**report, **facts, "commit": commit(), "versions": versions()}
    write_json(folder / "report.json", content)
    return content


def _without_nan(value: Any) -> Any:
    """Where all rows are right, or all wrong, there is no AUC."""
    if isinstance(value, dict):
        return {name: _without_nan(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def _warnings(ranking: Ranking, scored: ScoredRows) -> list[str]:
    found = []
    if missed := int((ranking.relevant == 0).sum()):
        found.append(
            f"{missed} of {len(ranking.queries)} queries have no right answer among their rows: they are missed"
        )
    if several := int((ranking.relevant > 1).sum()):
        found.append(f"{several} queries have several right answers: the best of them counts")
    if scored.labels.mean() < 0.25:
        found.append(
            f"{scored.labels.mean():.1%} of the rows are right pairs: answering no to all would have an accuracy of "
            f"{1 - scored.labels.mean():.1%}"
        )
    return found
