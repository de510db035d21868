"""Do this text and this picture belong together? Accuracy, ROC AUC, average precision, calibration.

Letters: M pairs, V distinct scores, B resamples.

A pair without a score (NaN) counts as answered wrongly: a right pair falls to the bottom, a wrong one to the top.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionbert.evaluation.protocols import MatchingPairs
from fashionbert.evaluation.significance import interval, resample

THRESHOLD = 0.5
BINS = 15


@dataclass(frozen=True, kw_only=True)
class Bin:
    """One bar of the reliability diagram: pairs whose probability lies in [low, high)."""

    low: float
    high: float
    pairs: int
    probability: float
    matches: float


@dataclass(frozen=True, kw_only=True)
class MatchingFigures:
    """What :func:`matching_figures` found; accuracy and calibration are None for scores that are no probabilities."""

    pairs: int
    unscored: int
    auc: float
    auc_interval: tuple[float, float]
    average_precision: float
    average_precision_interval: tuple[float, float]
    accuracy: float | None
    accuracy_interval: tuple[float, float] | None
    calibration_error: float | None
    bins: tuple[Bin, ...]


def accuracy(scores_M: NDArray[np.floating[Any]], labels_M: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say of each pair whether "match above a probability of 0.5" is right; never without a score."""
    return ~np.isnan(scores_M) & ((scores_M > THRESHOLD) == labels_M)


def auc_and_average_precision(
    scores_M: NDArray[np.floating[Any]], labels_M: NDArray[np.bool_], weights_BM: NDArray[np.integer[Any]]
) -> NDArray[np.float64]:
    """Compute ROC AUC and average precision, for several weightings of the pairs at once.

    AUC is the probability that a right pair scores above a wrong one, a tie counted as half. Average precision
    is the sum of precision x recall gained over the distinct scores from the top down, so tied pairs enter together.

    Args:
        scores_M: higher means a better match; NaN counts as the worst possible answer.
        labels_M: which pairs belong together.
        weights_BM: how often each pair counts in each weighting; ones [1, M] for the plain figures.

    Returns:
        float64 [B, 2]; NaN where a weighting leaves no right or no wrong pair.
    """
    filled_M = np.where(np.isnan(scores_M), np.where(labels_M, -np.inf, np.inf), scores_M)
    order = np.argsort(-filled_M, kind="stable")
    falling_M = filled_M[order]
    falls = np.flatnonzero(np.concatenate([[True], falling_M[1:] != falling_M[:-1]]))
    weights_BM, labels_M = weights_BM[:, order], labels_M[order]
    right_BV = np.add.reduceat(weights_BM * labels_M, falls, axis=1)
    wrong_BV = np.add.reduceat(weights_BM * ~labels_M, falls, axis=1)
    rights_B, wrongs_B = right_BV.sum(axis=1), wrong_BV.sum(axis=1)
    wrong_below_BV = wrongs_B[:, None] - np.cumsum(wrong_BV, axis=1)
    seen_BV = np.cumsum(right_BV + wrong_BV, axis=1)
    precision_BV = np.cumsum(right_BV, axis=1) / np.maximum(seen_BV, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        auc_B = (right_BV * (wrong_below_BV + wrong_BV / 2)).sum(axis=1) / (rights_B * wrongs_B)
        average_precision_B = (right_BV * precision_BV).sum(axis=1) / rights_B
    return np.stack([auc_B, average_precision_B], axis=1)


def reliability(scores_M: NDArray[np.floating[Any]], labels_M: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Sort scored pairs into 15 bins of equal width by their match probability; empty bins are left out."""
    scored_M = ~np.isnan(scores_M)
    scores_M, labels_M = scores_M[scored_M], labels_M[scored_M]
    place_M = np.minimum((scores_M * BINS).astype(np.int64), BINS - 1)
    return tuple(
        Bin(
            low=place / BINS,
            high=(place + 1) / BINS,
            pairs=int((place_M == place).sum()),
            probability=float(scores_M[place_M == place].mean()),
            matches=float(labels_M[place_M == place].mean()),
        )
        for place in np.unique(place_M).tolist()
    )


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """Mean distance between what was promised and what was so, each bin by its share of the pairs.

    The expected calibration error of Guo et al. (2017), taken over the match probability.
    """
    pairs = sum(bar.pairs for bar in bins)
    return sum(bar.pairs * abs(bar.probability - bar.matches) for bar in bins) / pairs if pairs else 0.0


def matching_figures(
    pairs: MatchingPairs,
    scores_M: NDArray[np.floating[Any]],
    *,
    probabilities: bool,
    resamples: int,
    rng: np.random.Generator,
    margins_M: NDArray[np.floating[Any]] | None = None,
) -> MatchingFigures:
    """Compute every figure with its 95 % interval; products are resampled with their right and their wrong pair.

    Args:
        pairs: what was scored.
        scores_M: score of each pair.
        probabilities: whether scores are match probabilities.
        resamples: B.
        rng: of the bootstrap.
        margins_M: what orders the pairs where it tells more apart than probabilities do, which round to 1; None: the
            scores.

    Returns:
        All figures.

    Raises:
        ValueError: scores that are said to be probabilities are not in [0, 1].
    """
    if probabilities and not np.all(np.isnan(scores_M) | ((scores_M >= 0) & (scores_M <= 1))):
        raise ValueError(f"match probabilities from {np.nanmin(scores_M)} to {np.nanmax(scores_M)}, not in [0, 1]")
    names, cluster_M = np.unique(pairs.anchors, return_inverse=True)
    right_M = accuracy(scores_M, pairs.labels)
    once = np.ones((1, len(scores_M)), dtype=np.int64)
    order_M = scores_M if margins_M is None else margins_M
    areas = auc_and_average_precision(order_M, pairs.labels, once)[0]
    samples = []
    for drawn_BU in resample(len(names), resamples, rng, rows=len(scores_M)):
        weights_BM = drawn_BU[:, cluster_M]
        hits_B = weights_BM @ right_M / weights_BM.sum(axis=1)
        samples.append(np.column_stack([auc_and_average_precision(order_M, pairs.labels, weights_BM), hits_B]))
    (low_auc, low_ap, low_hits), (high_auc, high_ap, high_hits) = interval(np.concatenate(samples)).tolist()
    bins = reliability(scores_M, pairs.labels) if probabilities else ()
    return MatchingFigures(
        pairs=len(scores_M),
        unscored=int(np.isnan(scores_M).sum()),
        auc=float(areas[0]),
        auc_interval=(low_auc, high_auc),
        average_precision=float(areas[1]),
        average_precision_interval=(low_ap, high_ap),
        accuracy=float(right_M.mean()) if probabilities else None,
        accuracy_interval=(low_hits, high_hits) if probabilities else None,
        calibration_error=calibration_error(bins) if probabilities else None,
        bins=bins,
    )
