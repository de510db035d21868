"""evaluate(): candidate lists, scores, ranks and matching of several systems under several protocols.

Letters: M rows (one query in one draw), Q queries, C candidates of a list, N products.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashionbert.config import EvaluationSettings
from fashionbert.errors import ProtocolError
from fashionbert.evaluation.full import NOTIONS, Rerank, rank_full, rank_two_stage
from fashionbert.evaluation.gallery import Gallery
from fashionbert.evaluation.protocols import (
    DIRECTIONS,
    CandidateLists,
    Direction,
    MatchingPairs,
    ProtocolName,
    draw_candidates,
    draw_pairs,
)
from fashionbert.evaluation.ranking import rank_lists, recall_at
from fashionbert.evaluation.systems import Progress, ScoreTable, System, labelled


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """The rank of every query of one protocol, direction and system, all draws after one another.

    Attributes:
        queries: index of the product that asks, int64 [M].
        draws: seed of the row's draw, int64 [M].
        sizes: candidates in the row's list, the truth counted, int64 [M].
        relevant: right answers among them, int64 [M].
        ranks: from 1 on, infinite where the query is missed, float64 [M].
    """

    queries: NDArray[np.int64]
    draws: NDArray[np.int64]
    sizes: NDArray[np.int64]
    relevant: NDArray[np.int64]
    ranks: NDArray[np.float64]

    def recall_at(self, k: int) -> float:
        """Share of the rows with a right answer among the first ``k``."""
        return recall_at(self.ranks, k)


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """All that was measured; figures, reports and TREC files are made from it.

    Attributes:
        systems: the first is the one that the report is about.
        lists: candidate lists of all protocols, directions and draws.
        list_scores: by system's name, scores [Q, C] of each of ``lists``.
        pairs: matching pairs by protocol.
        pair_scores: by protocol and system's name.
        rankings: by protocol (``exact`` beside ``full``), direction and system's name; under ``full`` a system
            that was too dear is not there, and a two-stage system may be.
    """

    gallery: Gallery
    settings: EvaluationSettings
    systems: tuple[System, ...]
    lists: tuple[CandidateLists, ...]
    list_scores: Mapping[str, tuple[NDArray[np.float64], ...]]
    pairs: Mapping[ProtocolName, MatchingPairs]
    pair_scores: Mapping[tuple[ProtocolName, str], NDArray[np.float64]]
    rankings: Mapping[tuple[str, Direction, str], Ranking]

    def ranked_systems(self, protocol: str) -> list[str]:
        """Names of the systems with rankings under ``protocol``: the main one, a two-stage one, the others."""
        names = dict.fromkeys(system for name, _, system in self.rankings if name == protocol)
        main, known = self.systems[0].name, [system.name for system in self.systems]
        return sorted(names, key=lambda name: (name != main, name in known))


def draw_lists(gallery: Gallery, settings: EvaluationSettings) -> tuple[CandidateLists, ...]:
    """Draw the lists of every protocol that has some, both directions, draw i from seed + i."""
    return tuple(
        draw_candidates(gallery, protocol, direction, queries=settings.queries, seed=settings.seed + draw)
        for protocol in settings.protocols
        if protocol != "full"
        for direction in DIRECTIONS
        for draw in range(settings.draws)
    )


def evaluate(
    gallery: Gallery,
    systems: Sequence[System],
    settings: EvaluationSettings,
    *,
    lists: Sequence[CandidateLists] | None = None,
    full_systems: Collection[str] | None = None,
    rerank: Rerank | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure systems on one split.

    A pair that several draws, directions or protocols ask for is scored once.

    Args:
        gallery: the split.
        systems: what is measured; the first is the main one.
        settings: protocols, queries, draws, seed.
        lists: candidate lists to use, e.g. read from files; None draws them.
        full_systems: who takes part in ``full``; None: those that score blocks, since ``full`` asks for N² pairs.
        rerank: a two-stage system to rank under ``full`` besides.
        progress: called as the scoring goes on.

    Returns:
        Every score and every rank.

    Raises:
        ProtocolError: a protocol without lists, or lists of a protocol that was not asked for.
    """
    lists = draw_lists(gallery, settings) if lists is None else tuple(lists)
    _check(systems, settings, lists, full_systems, rerank)
    pairs: dict[ProtocolName, MatchingPairs] = {
        protocol: draw_pairs(gallery, protocol, seed=settings.seed) for protocol in settings.protocols
    }
    list_scores, pair_scores = {}, {}
    for system in systems:
        requests = [*(each.pairs() for each in lists), *((some.texts, some.pictures) for some in pairs.values())]
        table = ScoreTable(system, requests, len(gallery), labelled(progress, f"{system.name}: lists"))
        list_scores[system.name] = tuple(table(*each.pairs()) for each in lists)
        for protocol, some in pairs.items():
            pair_scores[protocol, system.name] = table(some.texts, some.pictures)
    rankings = _list_rankings(lists, list_scores)
    if "full" in settings.protocols:
        rankings |= _full_rankings(gallery, systems, full_systems, rerank, progress)
    return Evaluation(
        gallery=gallery,
        settings=settings,
        systems=tuple(systems),
        lists=lists,
        list_scores=list_scores,
        pairs=pairs,
        pair_scores=pair_scores,
        rankings=rankings,
    )


def _check(
    systems: Sequence[System],
    settings: EvaluationSettings,
    lists: Sequence[CandidateLists],
    full_systems: Collection[str] | None,
    rerank: Rerank | None,
) -> None:
    names = [system.name for system in systems]
    wanted = {*(full_systems or ()), *((rerank.first, rerank.second) if rerank else ())}
    if not names or len(set(names)) < len(names) or not wanted <= set(names):
        raise ValueError(f"systems {names} must be there, differ in name, and include {sorted(wanted)}")
    asked = {(p, direction) for p in settings.protocols if p != "full" for direction in DIRECTIONS}
    given = {(each.protocol, each.direction) for each in lists}
    if asked != given:
        raise ProtocolError(
            f"candidate lists are for {_words(given)}, but the evaluation needs {_words(asked)}: "
            "name the protocols that the lists were drawn for, both directions of each"
        )


def _words(pairs: Collection[tuple[str, str]]) -> str:
    return ", ".join(f"{protocol} {direction}" for protocol, direction in sorted(pairs)) or "nothing"


def _list_rankings(
    lists: Sequence[CandidateLists], list_scores: Mapping[str, Sequence[NDArray[np.float64]]]
) -> dict[tuple[str, Direction, str], Ranking]:
    rankings = {}
    for system, all_scores in list_scores.items():
        for key in dict.fromkeys((each.protocol, each.direction) for each in lists):
            drawn = [
                (each, scores)
                for each, scores in zip(lists, all_scores, strict=True)
                if (each.protocol, each.direction) == key
            ]
            rankings[*key, system] = Ranking(
                queries=np.concatenate([each.queries for each, _ in drawn]),
                draws=np.concatenate([np.full(len(each.queries), each.seed) for each, _ in drawn]),
                sizes=np.concatenate([each.present.sum(axis=1) for each, _ in drawn]),
                relevant=np.ones(sum(len(each.queries) for each, _ in drawn), dtype=np.int64),
                ranks=np.concatenate([rank_lists(scores, _truth(each), each.present) for each, scores in drawn]),
            )
    return rankings


def _truth(lists: CandidateLists) -> NDArray[np.bool_]:
    return lists.candidates == lists.queries[:, None]


def _full_rankings(
    gallery: Gallery,
    systems: Sequence[System],
    full_systems: Collection[str] | None,
    rerank: Rerank | None,
    progress: Progress | None,
) -> dict[tuple[str, Direction, str], Ranking]:
    by_name = {system.name: system for system in systems}
    if full_systems is None:
        full_systems = [system.name for system in systems if system.score_block is not None]
    ranks = {name: rank_full(gallery, by_name[name], progress) for name in full_systems}
    if rerank is not None:
        first, second = by_name[rerank.first], by_name[rerank.second]
        ranks[rerank.name] = rank_two_stage(gallery, first, second, rerank.top, progress)
    if not ranks:
        raise ProtocolError(
            "protocol 'full' has no system to rank: none scores whole blocks; name one in full_systems, or rerank"
        )
    everything = np.arange(len(gallery))
    _, group_N, members = np.unique(gallery.groups, return_inverse=True, return_counts=True)
    relevant = dict(zip(NOTIONS, (members[group_N], np.ones_like(everything)), strict=True))
    return {
        (notion, direction, name): Ranking(
            queries=everything,
            draws=np.zeros_like(everything),
            sizes=np.full_like(everything, len(gallery)),
            relevant=relevant[notion],
            ranks=ranks_N,
        )
        for name, by_key in ranks.items()
        for (notion, direction), ranks_N in by_key.items()
    }
