"""From ranks to the figures of a report: recall, MRR, mean rank, with intervals and the chance line.

All figures are plain JSON values; shares lie in [0, 1].
"""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionbert.evaluation.matching import matching_figures
from fashionbert.evaluation.protocols import DIRECTIONS, ProtocolName, count_filled
from fashionbert.evaluation.ranking import chance_recall, mean_rank, mean_reciprocal_rank, recall_at_all
from fashionbert.evaluation.run import Evaluation, Ranking
from fashionbert.evaluation.significance import mean_interval

CUTS = (1, 5, 10)
_RESAMPLING_STREAM = 3


def direction_figures(ranking: Ranking, *, resamples: int, rng: np.random.Generator) -> dict[str, Any]:
    """Compute the figures of one protocol, direction and system, with 95 % intervals over queries."""
    intervals = mean_interval(_columns(ranking), ranking.queries, resamples=resamples, rng=rng).T.tolist()
    figures: dict[str, Any] = {}
    for cut, ends in zip(CUTS, intervals, strict=False):
        figures[f"recall_at_{cut}"] = ranking.recall_at(cut)
        figures[f"recall_at_{cut}_interval"] = ends
    figures["mrr"], figures["mrr_interval"] = mean_reciprocal_rank(ranking.ranks), intervals[len(CUTS)]
    figures["mean_rank"], figures["mean_rank_interval"] = mean_rank(ranking.ranks, ranking.sizes), intervals[-1]
    figures["recall_at_all"] = recall_at_all(ranking.ranks)
    figures["missed"] = int(np.isinf(ranking.ranks).sum())
    figures["rows"], figures["queries"] = len(ranking.queries), len(np.unique(ranking.queries))
    figures["chance"] = {f"recall_at_{cut}": chance_recall(ranking.sizes, ranking.relevant, cut) for cut in CUTS}
    return figures


def difference_figures(first: Ranking, second: Ranking, *, resamples: int, rng: np.random.Generator) -> dict[str, Any]:
    """Compute by how much ``first`` is better than ``second``, paired: the same queries in the same lists.

    Args:
        first: the system that should be better.
        second: the system that it is held against.
        resamples: of the bootstrap.
        rng: of the bootstrap.

    Returns:
        Mean gain in recall and MRR, each with its 95 % interval.

    Raises:
        ValueError: the two were ranked on different lists.
    """
    if not (np.array_equal(first.queries, second.queries) and np.array_equal(first.draws, second.draws)):
        raise ValueError("a paired difference needs two systems ranked on the same lists")
    gain_MK = _columns(first)[:, :-1] - _columns(second)[:, :-1]
    intervals = mean_interval(gain_MK, first.queries, resamples=resamples, rng=rng).T.tolist()
    figures: dict[str, Any] = {}
    for name, mean, ends in zip(_gain_names(), gain_MK.mean(axis=0).tolist(), intervals, strict=True):
        figures[name], figures[f"{name}_interval"] = mean, ends
    return figures


def protocol_figures(evaluation: Evaluation, protocol: ProtocolName) -> dict[str, Any]:
    """Gather everything that one protocol found: the main system, the others, their differences, the draws."""
    main, *others = evaluation.ranked_systems(protocol)
    block: dict[str, Any] = {"protocol": protocol, "system": main, **_system_figures(evaluation, protocol, main)}
    block["matching_system"] = evaluation.systems[0].name
    block["matching"] = _matching(evaluation, protocol, evaluation.systems[0].name)
    block["systems"] = {
        name: {**_system_figures(evaluation, protocol, name), "matching": _matching(evaluation, protocol, name)}
        for name in others
    }
    block["difference"] = {
        name: {
            direction: difference_figures(
                evaluation.rankings[protocol, direction, main],
                evaluation.rankings[protocol, direction, name],
                **_resampling(evaluation),
            )
            for direction in DIRECTIONS
        }
        for name in others
    }
    if protocol != "full":
        block["draws"] = _draws(evaluation, protocol, main)
        block["filled"] = _filled(evaluation, protocol)
    return block


def _columns(ranking: Ranking) -> NDArray[np.float64]:
    hits = [(ranking.ranks <= cut).astype(np.float64) for cut in CUTS]
    places = np.where(np.isfinite(ranking.ranks), ranking.ranks, ranking.sizes + 1)
    return np.column_stack([*hits, 1.0 / ranking.ranks, places])


def _gain_names() -> list[str]:
    return [*(f"recall_at_{cut}" for cut in CUTS), "mrr"]


def _resampling(evaluation: Evaluation) -> dict[str, Any]:
    rng = np.random.default_rng([evaluation.settings.seed, _RESAMPLING_STREAM])
    return {"resamples": evaluation.settings.bootstrap, "rng": rng}


def _system_figures(evaluation: Evaluation, protocol: str, system: str) -> dict[str, Any]:
    figures: dict[str, Any] = {
        direction: direction_figures(evaluation.rankings[protocol, direction, system], **_resampling(evaluation))
        for direction in DIRECTIONS
    }
    if protocol == "full":
        figures["exact"] = _system_figures(evaluation, "exact", system)
    return figures


def _matching(evaluation: Evaluation, protocol: ProtocolName, name: str) -> dict[str, Any] | None:
    system = next((system for system in evaluation.systems if system.name == name), None)
    if system is None:
        return None
    scores = evaluation.pair_scores[protocol, name]
    resampling = _resampling(evaluation)
    return asdict(
        matching_figures(evaluation.pairs[protocol], scores, probabilities=system.probabilities, **resampling)
    )


def _draws(evaluation: Evaluation, protocol: str, system: str) -> list[dict[str, Any]]:
    rankings = {direction: evaluation.rankings[protocol, direction, system] for direction in DIRECTIONS}
    seeds = np.unique(np.concatenate([ranking.draws for ranking in rankings.values()])).tolist()
    return [
        {
            "seed": seed,
            **{
                direction: {
                    f"recall_at_{cut}": float(np.mean(ranking.ranks[ranking.draws == seed] <= cut)) for cut in CUTS
                }
                for direction, ranking in rankings.items()
            },
        }
        for seed in seeds
    ]


def _filled(evaluation: Evaluation, protocol: str) -> dict[str, dict[str, int]]:
    filled: dict[str, dict[str, int]] = {}
    for direction in DIRECTIONS:
        counts = [
            count_filled(evaluation.gallery, lists)
            for lists in evaluation.lists
            if (lists.protocol, lists.direction) == (protocol, direction)
        ]
        filled[direction] = {name: sum(count[name] for count in counts) for name in counts[0]}
    return filled
