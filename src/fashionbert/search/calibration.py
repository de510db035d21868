"""From the pair model's log-odds to a probability that holds on a shop's own shelf, and to "nothing here matches".

The pair model was trained on pairs, half of them right. Among the best hundred of a whole shop nearly all are wrong,
and wrong in small ways, so its probabilities are too high there. A line through its log-odds, fitted on queries whose
answer is known, sets them right (Platt, 1999). The threshold of "nothing here matches" is the lowest confidence at
which the best hits of such queries, half of them with their answer taken off the shelf, are right as often as stated.
It holds for queries like those: words, without pictures and other wishes (:mod:`fashionbert.search.cards`).

Letters: n hits, Q queries.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import SearchIndexError
from fashionbert.files import write_json

CALIBRATION = "calibration.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What validation said.

    Attributes:
        slope: of the line through the log-odds.
        offset: of that line.
        threshold: confidence below which the best hit is no match; None where no threshold gives the precision.
        precision: share of right best hits at or above the threshold that was asked for.
        reached: share that was found there; without a threshold, the best share that any threshold gives.
        answered: share of the queries whose best hit is at or above the threshold.
        queries: queries that it was fitted on.
        source: what they came from.
    """

    slope: float
    offset: float
    threshold: float | None
    precision: float
    reached: float
    answered: float
    queries: int
    source: str

    def confidence(self, margins: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probabilities that hits match, from the pair model's log-odds."""
        return 0.5 * (1.0 + np.tanh(0.5 * (self.slope * margins.astype(np.float64) + self.offset)))

    def write(self, folder: Path) -> None:
        """Write it into an index's folder."""
        write_json(folder / CALIBRATION, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> "Calibration | None":
        """Read it from an index's folder.

        Args:
            folder: of the index.

        Returns:
            The calibration; None where the index has none.

        Raises:
            SearchIndexError: it is broken or edited.
        """
        path = folder / CALIBRATION
        if not path.exists():
            return None
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise SearchIndexError(
                f"{path} is broken or edited ({error!r}): remove it, or calibrate the index anew"
            ) from error


def choose_threshold(
    confidences_Q: NDArray[np.floating], right_Q: NDArray[np.bool_], precision: float, *, fewest: int = 1
) -> tuple[float | None, float, float]:
    """Find the lowest threshold at which best hits are right as often as stated.

    Args:
        confidences_Q: of the best hit of each query.
        right_Q: whether it was right.
        precision: the share of right ones that is asked for.
        fewest: best hits at or above a threshold without which their share says nothing.

    Returns:
        The threshold, or None where there is none; the share that is right at or above it (without one: the best share
        of any); the share of the queries that it answers.
    """
    order = np.argsort(-confidences_Q, kind="stable")
    shares = np.cumsum(right_Q[order]) / np.arange(1, len(order) + 1)
    ends = np.append(np.diff(confidences_Q[order]) < 0, True)  # equal confidences stand or fall together
    ends[: fewest - 1] = False
    enough = np.flatnonzero(ends & (shares >= precision))
    if not len(enough):
        return None, float(shares[ends].max(initial=0.0)), 0.0
    last = enough[-1]
    return float(confidences_Q[order][last]), float(shares[last]), float((last + 1) / len(order))
