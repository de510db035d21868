"""One contender of a benchmark in a process of its own, so that its start, its memory and its threads are its own."""

import importlib
import multiprocessing
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import FashionBertError
from fashionbert.memory import keep_freed_memory

Work = Callable[[], NDArray[np.float32]]
"""What is timed; what it gives is looked at once, so that nobody wins by giving something else."""


class MissingRivalError(FashionBertError):
    """A contender cannot take part here; the message says what it lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Who takes part.

    Attributes:
        name: in tables and result files.
        make: ``package.module:function`` that loads it and gives its work.
        arguments: of that function, of plain types.
        units: things that its work does, such as pairs, for a rate.
        laps: times that it does its work in a turn, each timed by itself, for a spread over many queries.
        against: name of the contender whose time its own is told in; empty: the first that takes part.
        same_as: name of the contender whose answer it should give; empty: of none.
        tolerance: by which a number of the answer may differ from it; None: it is told and not judged, as for numbers
            that were rounded on purpose.
    """

    name: str
    make: str
    arguments: Mapping[str, Any]
    units: int = 1
    laps: int = 1
    against: str = ""
    same_as: str = ""
    tolerance: float | None = 1e-4


class Running:
    """A contender that is ready in its process; a context manager, which ends the process."""

    def __init__(self, contender: Contender) -> None:
        """Start it.

        Args:
            contender: who takes part.

        Raises:
            MissingRivalError: it cannot take part here.
        """
        here, there = multiprocessing.Pipe()
        started = perf_counter()
        self._pipe = here
        self._process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(there, contender.make, dict(contender.arguments), contender.laps), daemon=True
        )
        self._process.start()
        there.close()
        answer = self._received()
        self.start_seconds = perf_counter() - started
        """From nothing to the end of the first, slow time that the work is done."""
        self.answer: NDArray[np.float32] = answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def seconds(self) -> list[float]:
        """Take a turn and say how long each of its laps took."""
        return self._asked("run")

    def peak_bytes(self) -> int:
        """Highest resident memory of the process so far; 0 where the system does not say."""
        return self._asked("peak")

    def _asked(self, what: str) -> Any:
        with suppress(OSError):  # its process has ended: what is received says so
            self._pipe.send(what)
        return self._received()

    def _received(self) -> Any:
        try:
            kind, value = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            kind, value = "missing", f"its process ended with {self._process.exitcode}"
        if kind == "missing":
            self._process.join()
            raise MissingRivalError(value)
        return value


def _serve(pipe: Connection, make: str, arguments: dict[str, Any], laps: int) -> None:
    keep_freed_memory()  # as our command line does; the others gain by it too
    module, function = make.split(":")
    try:
        work: Work = getattr(importlib.import_module(module), function)(**arguments)
        answer = work()
    except ModuleNotFoundError as error:
        pipe.send(("missing", f"the package {error.name} is not installed"))
        return
    except FashionBertError as error:  # it says all there is to say, over several lines
        pipe.send(("missing", " ".join(str(error).split())))
        return
    except Exception as error:  # whatever another's software says, the others are measured
        pipe.send(("missing", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"))
        return
    pipe.send(("answer", answer))
    while True:
        if pipe.recv() == "peak":
            pipe.send(("peak", _peak_bytes()))
            continue
        pipe.send(("seconds", [_seconds(work) for _ in range(laps)]))


def _seconds(work: Work) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _peak_bytes() -> int:
    if sys.platform == "linux":  # what rusage says there begins with the peak of the process that started this one
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
        return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
    try:
        import resource
    except ImportError:  # Windows has none
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
