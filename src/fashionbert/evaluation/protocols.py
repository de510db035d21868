"""Candidate lists and matching pairs, drawn from explicit seeds.

Letters: N products, Q queries, C candidates of a list (the truth and up to 100 others).

``random-101`` is the paper's protocol (section 4.1): the truth and 100 products of other groups.
``subcategory-101`` is that of the released code and of most later papers: the 100 come from the truth's
subcategory; where it has too few, from its category, then from anywhere. ``full`` needs no lists.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from fashionbert.evaluation.gallery import UNKNOWN, Gallery

Direction = Literal["text_to_image", "image_to_text"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
ListProtocol = Literal["random-101", "subcategory-101"]
LIST_PROTOCOLS: tuple[ListProtocol, ...] = get_args(ListProtocol)
ProtocolName: TypeAlias = Literal["random-101", "subcategory-101", "full"]
PROTOCOLS: tuple[ProtocolName, ...] = get_args(ProtocolName)

OTHERS = 100
ABSENT = -1
_PAIR_STREAM = len(DIRECTIONS)


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateLists:
    """The lists of one protocol, direction and draw, as indices into a gallery.

    Attributes:
        protocol: how the others were drawn.
        direction: ``text_to_image``: the query is a product's text, the candidates are pictures.
        seed: what the draw started from, together with the direction.
        queries: products that ask, int64 [Q].
        candidates: int64 [Q, C]; the truth is column 0 (a rank does not depend on the order), ABSENT pads the
            lists of a gallery that has fewer than 100 products of other groups.
    """

    protocol: ListProtocol
    direction: Direction
    seed: int
    queries: NDArray[np.int64]
    candidates: NDArray[np.int64]

    @property
    def present(self) -> NDArray[np.bool_]:
        """False where a list is padded, bool [Q, C]."""
        return self.candidates != ABSENT

    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Index of the text and of the picture of every pair, each int64 [Q, C]; padding asks for ABSENT."""
        asking = np.where(self.present, self.queries[:, None], ABSENT)
        return (asking, self.candidates) if self.direction == "text_to_image" else (self.candidates, asking)


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchingPairs:
    """As many wrong pairs as right ones.

    Attributes:
        texts: index of each pair's text, int64 [2N].
        pictures: index of each pair's picture, int64 [2N].
        labels: whether they belong together, bool [2N].
        anchors: the product that a pair was made from; it has one right and one wrong pair, int64 [2N].
    """

    texts: NDArray[np.int64]
    pictures: NDArray[np.int64]
    labels: NDArray[np.bool_]
    anchors: NDArray[np.int64]


def draw_candidates(
    gallery: Gallery, protocol: ListProtocol, direction: Direction, *, queries: int, seed: int
) -> CandidateLists:
    """Draw the queries and the lists of one draw.

    Args:
        gallery: the split.
        protocol: where the others come from; always from other groups, no product twice in a list.
        direction: each direction has a draw of its own.
        queries: how many products ask, or all if there are fewer.
        seed: same gallery, protocol, direction, queries and seed: same lists.

    Returns:
        The lists of this draw.
    """
    rng = np.random.default_rng([seed, DIRECTIONS.index(direction)])
    asking_Q = rng.choice(len(gallery), size=min(queries, len(gallery)), replace=False)
    candidates_QC = np.full((len(asking_Q), 1 + OTHERS), ABSENT, dtype=np.int64)
    candidates_QC[:, 0] = asking_Q
    for row, query in zip(candidates_QC, asking_Q, strict=True):
        others = _draw_others(gallery, protocol, int(query), OTHERS, rng)
        row[1 : 1 + len(others)] = others
    return CandidateLists(protocol=protocol, direction=direction, seed=seed, queries=asking_Q, candidates=candidates_QC)


def draw_pairs(gallery: Gallery, protocol: ProtocolName, *, seed: int) -> MatchingPairs:
    """Draw for every product a wrong partner: half of the wrong pairs swap the text, half the picture.

    Under ``subcategory-101`` the partner is of the same subcategory where there is one.
    """
    rng = np.random.default_rng([seed, _PAIR_STREAM])
    anchors_N = np.arange(len(gallery))
    partners_N = np.array([_draw_others(gallery, protocol, int(anchor), 1, rng)[0] for anchor in anchors_N])
    swap_text_N = rng.permutation(len(gallery)) % 2 == 0
    return MatchingPairs(
        texts=np.concatenate([anchors_N, np.where(swap_text_N, partners_N, anchors_N)]),
        pictures=np.concatenate([anchors_N, np.where(swap_text_N, anchors_N, partners_N)]),
        labels=np.repeat([True, False], len(gallery)),
        anchors=np.tile(anchors_N, 2),
    )


def _draw_others(
    gallery: Gallery, protocol: ProtocolName, query: int, wanted: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    free_N = gallery.groups != gallery.groups[query]
    tiers = [free_N]
    if protocol == "subcategory-101":
        near = [
            free_N & (codes == codes[query]) & (codes != UNKNOWN)
            for codes in (gallery.subcategories, gallery.categories)
        ]
        tiers = [*near, free_N]
    drawn = np.empty(0, dtype=np.int64)
    for tier_N in tiers:
        pool = np.flatnonzero(tier_N)
        pool = pool[~np.isin(pool, drawn)]
        missing = min(wanted - len(drawn), len(pool))
        drawn = np.concatenate([drawn, rng.choice(pool, size=missing, replace=False)])
    return drawn


def count_filled(gallery: Gallery, lists: CandidateLists) -> dict[str, int]:
    """Count how many queries and candidates do not come from where the protocol wanted them.

    Args:
        gallery: the split that the lists belong to.
        lists: one draw.

    Returns:
        ``queries`` and ``candidates`` in all, then as ``<what>_<where>``: from the wider ``category``, from
        ``anywhere``, or ``missing`` altogether. The truths are not counted as candidates.
    """
    others_QC, present_QC = lists.candidates[:, 1:], lists.present[:, 1:]
    in_subcategory_QC, in_category_QC = (
        (codes[others_QC] == codes[lists.queries, None]) & (codes[others_QC] != UNKNOWN)
        for codes in (gallery.subcategories, gallery.categories)
    )
    stray_QC = present_QC & ~in_subcategory_QC & (lists.protocol == "subcategory-101")
    counts = {"queries": len(lists.queries), "candidates": int(present_QC.sum())}
    for where, filled_QC in {
        "category": stray_QC & in_category_QC,
        "anywhere": stray_QC & ~in_category_QC,
        "missing": ~present_QC,
    }.items():
        counts[f"queries_{where}"] = int(filled_QC.any(axis=1).sum())
        counts[f"candidates_{where}"] = int(filled_QC.sum())
    return counts
