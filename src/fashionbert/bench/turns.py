"""Contenders in turns, so that all see the same hour of the machine."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from fashionbert.bench.contender import Contender, MissingRivalError, Running

_REST_SECONDS = 0.2
"""Between two turns: threads that wait by spinning (OpenMP's, ONNX Runtime's) have gone to sleep then."""
_SLOW = 0.95


class Runs(Protocol):
    """A contender that is ready; a context manager, which puts an end to it.

    Attributes:
        start_seconds: from nothing to the end of the first time.
        answer: what the first time gave.
    """

    start_seconds: float
    answer: NDArray[np.float32]

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def seconds(self) -> list[float]:
        """Take a turn: seconds of each of its laps; :class:`MissingRivalError` where it cannot go on."""
        ...

    def peak_bytes(self) -> int:
        """Highest resident memory so far; 0 where nobody knows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of a contender.

    Attributes:
        contender: who it was.
        seconds: of each lap of each turn; none where it did not take part.
        start_seconds: from nothing to the end of the first time.
        peak_bytes: highest resident memory of its process; 0 where nobody knows.
        answer: what its work gave; None where it did not take part.
        difference: largest one to the answer that it should give; None where there is nothing to compare with.
        missing: why it did not take part.
    """

    contender: Contender
    seconds: tuple[float, ...] = ()
    start_seconds: float = 0.0
    peak_bytes: int = 0
    answer: NDArray[np.float32] | None = None
    difference: float | None = None
    missing: str = ""

    @property
    def median(self) -> float:
        """Of the seconds."""
        return statistics.median(self.seconds)

    @property
    def slow(self) -> float:
        """Seconds that 95 % of the laps keep within."""
        return float(np.quantile(self.seconds, _SLOW))

    def figures(self) -> dict[str, Any]:
        """All but the answer, for a result file."""
        if not self.seconds:
            return {"name": self.contender.name, "missing": self.missing}
        return {
            "name": self.contender.name,
            "median_seconds": self.median,
            **({"p95_seconds": self.slow} if self.contender.laps > 1 else {}),
            "seconds": self.seconds,
            "units": self.contender.units,
            "start_seconds": self.start_seconds,
            "peak_bytes": self.peak_bytes,
            "same_as": self.contender.same_as,
            "difference": self.difference,
        }

    @property
    def is_right(self) -> bool:
        """Whether its answer is what it should be, as far as anybody can tell."""
        limit = self.contender.tolerance
        return self.difference is None or limit is None or self.difference <= limit


def measure_in_turns(
    contenders: Sequence[Contender],
    repetitions: int,
    progress: Callable[[str], None] = lambda _: None,
    start: Callable[[Contender], Runs] = Running,
) -> list[Measured]:
    """Let contenders do their work in turns.

    Args:
        contenders: each starts its process, then waits for its turns.
        repetitions: turns of each.
        progress: called with what is being done.
        start: makes a contender ready; raises :class:`MissingRivalError` where it cannot take part.

    Returns:
        What was measured, in the order of the contenders.
    """
    with ExitStack() as stack:
        running: dict[str, Runs] = {}
        missing: dict[str, str] = {}
        for contender in contenders:
            progress(f"starting {contender.name}")
            try:
                running[contender.name] = stack.enter_context(start(contender))
            except MissingRivalError as error:
                missing[contender.name] = str(error)
        seconds: dict[str, list[float]] = {name: [] for name in running}
        for repetition in range(repetitions):
            progress(f"turn {repetition + 1} of {repetitions}")
            for name, one in list(running.items()):
                time.sleep(_REST_SECONDS)
                try:
                    seconds[name] += one.seconds()
                except MissingRivalError as error:
                    missing[name] = str(error)
                    del running[name]
        peaks = {name: one.peak_bytes() for name, one in running.items()}
        return [
            Measured(
                contender=one,
                seconds=tuple(seconds[one.name]),
                start_seconds=running[one.name].start_seconds,
                peak_bytes=peaks[one.name],
                answer=running[one.name].answer,
                difference=_difference(running, one),
            )
            if one.name in running
            else Measured(contender=one, missing=missing[one.name])
            for one in contenders
        ]


def _difference(running: Mapping[str, Runs], contender: Contender) -> float | None:
    if contender.same_as not in running:
        return None
    answer, wanted = running[contender.name].answer, running[contender.same_as].answer
    return float(np.abs(answer - wanted).max()) if answer.shape == wanted.shape else float("inf")
