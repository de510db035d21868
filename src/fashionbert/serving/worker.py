"""The thread that owns the engine: requests of all callers wait in one queue, and searches are computed together.

An engine is not for several threads, and two passes at once are slower than one on the same cores. So one thread takes
what has come in meanwhile: the more callers, the larger its batches. What cannot be computed in time is refused when it
comes or dropped before its turn, never after the work.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import FashionBertError, FolderInUseError
from fashionbert.search import Answer, Query, SearchEngine
from fashionbert.search.pictures import AnyPicture, IndexedPicture
from fashionbert.search.shelf import Shelf

Asked = TypeVar("Asked")
Result = TypeVar("Result")
_LOG = logging.getLogger("fashionbert.serving")
_PAIRS_OF_A_SEARCH = 50
"""Pairs that count as one search when batches are filled."""
_PICTURES_OF_A_TURN = 32
"""Pictures of one job that are read before others have their turn."""

_MOST_PUT_OFF = 12
"""Looks at a worn index after which it is tidied though others wait; a minute, by default."""


class BusyError(Exception):
    """The queue is full, or a request waited beyond its deadline; it may come again after ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(slots=True, eq=False)
class _Job(Generic[Asked, Result]):
    """Work for the engine.

    Attributes:
        run: gives a result for each of what is asked; jobs of the same one may share a call.
        asked: by this job; several pieces of it have a turn each, and the jobs of others come between.
        weight: how much of a batch a piece fills; 0: it shares no call.
        until: when nobody waits for it any more, unless it is begun.
        joined: makes one result of those of the pieces.
    """

    run: Callable[[SearchEngine, Sequence[Asked]], Sequence[Result]]
    asked: deque[Asked]
    weight: int
    until: float
    joined: Callable[[Sequence[Result]], Result] = lambda results: results[0]
    results: list[Result] = field(default_factory=list)
    came: float = field(default_factory=monotonic)
    future: "Future[Result]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Load:
    """What the worker tells of itself.

    Attributes:
        searched: called after each batch of searches, with the answers and the seconds each has waited.
        waiting: called with the length of the queue when it changes.
    """

    searched: Callable[[Sequence[Answer], Sequence[float]], None] = lambda _answers, _waits: None
    waiting: Callable[[int], None] = lambda _count: None


class Worker:
    """Runs jobs on an engine, one batch after the other, in a thread of its own."""

    def __init__(
        self,
        engine: SearchEngine,
        *,
        queue_size: int,
        batch_size: int,
        deadline: float,
        refresh: float,
        load: Load | None = None,
    ) -> None:
        """Take the engine; nobody else may call it from now on.

        Args:
            engine: of the index.
            queue_size: jobs that may wait.
            batch_size: searches computed together.
            deadline: seconds after which a job that still waits is dropped.
            refresh: seconds between looks for a newer version of the index, in between batches.
            load: is told what happens.
        """
        self._engine = engine
        self._jobs: deque[_Job[Any, Any]] = deque()
        self._queue_size, self._batch_size = queue_size, batch_size
        self._deadline, self._refresh = deadline, refresh
        self._load = load or Load()
        self._closed = True
        self._changed = threading.Condition()
        self._thread = threading.Thread()
        self._put_off = 0
        self.fault: str | None = None
        """Why the index cannot be read at the moment; None while all is well."""

    def start(self) -> None:
        """Begin to work, for the first time or after :meth:`close`."""
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish what was accepted and stop; what comes later is refused."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether jobs are being done."""
        return self._thread.is_alive() and not self._closed

    @property
    def shelf(self) -> Shelf:
        """The version that is searched at the moment, which never changes: any thread may read it, without a turn."""
        return self._engine.shelf

    def refuse_if_full(self) -> None:
        """Refuse a request before its body is read, where it could not be taken in.

        Raises:
            BusyError: the queue is full, or the service is stopping.
        """
        if not self.is_alive:
            raise BusyError("the service is stopping", 5)
        if len(self._jobs) >= self._queue_size:
            raise BusyError(f"{self._queue_size} requests are waiting already", 1)

    def search(self, query: Query) -> "Future[Answer]":
        """Put a search in the queue.

        Args:
            query: the question.

        Returns:
            The future of its answer; errors are those of ``SearchEngine.search``.

        Raises:
            BusyError: the queue is full.
        """
        return self._put(_Job(_search, deque([query]), 1, self._until()))

    def score(self, pairs: Sequence[tuple[str, AnyPicture]]) -> "Future[NDArray[np.float64]]":
        """Put pairs in the queue; those of many pictures have several turns.

        Args:
            pairs: words and a picture each.

        Returns:
            The future of their probabilities; errors are those of ``SearchEngine.score``.

        Raises:
            BusyError: the queue is full.
        """
        pieces = _pieces(pairs)
        return self._put(_Job(_score, deque(pieces), max(map(_weight, pieces)), self._until(), np.concatenate))

    def call(self, run: Callable[[SearchEngine], Result]) -> "Future[Result]":
        """Put any other work in the queue.

        Args:
            run: gets the engine; its result and its errors are those of the future.

        Returns:
            The future of its result; cancelled before its turn, the work is not done.

        Raises:
            BusyError: the queue is full.
        """
        return self._put(_Job(lambda engine, _: [run(engine)], deque([None]), 0, self._until()))

    def _until(self) -> float:
        return monotonic() + self._deadline

    def _put(self, job: "_Job[Asked, Result]") -> "Future[Result]":
        with self._changed:
            self.refuse_if_full()
            self._jobs.append(job)
            self._changed.notify_all()
        job.future.add_done_callback(lambda future: self._forget(job) if future.cancelled() else None)
        self._load.waiting(len(self._jobs))
        return job.future

    def _forget(self, job: _Job[Any, Any]) -> None:
        """Nobody waits for it: its place is free for another."""
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)
        self._load.waiting(len(self._jobs))

    def _work(self) -> None:
        looked = monotonic()
        while True:
            left = looked + self._refresh - monotonic()
            if left <= 0:  # however busy it is: a queue that is never empty must not hide what others write
                self._look_for_newer()
                looked = monotonic()
                continue
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._closed, timeout=left)
                batch = self._batch()
                if not batch and self._closed:
                    return
            if batch:
                self._load.waiting(len(self._jobs))
                self._run([job for job in batch if _is_due(job)])

    def _look_for_newer(self) -> None:
        try:
            with suppress(FolderInUseError):  # who writes there will tidy, or the next look does
                self._tidy_if_worn()
            self._engine.refresh()
        except FashionBertError as error:
            self.fault = str(error)
        except BaseException as error:  # the thread must live on, whatever a look at a damaged index brings
            _LOG.exception("a look for a newer version failed")
            self.fault = f"the index cannot be read ({error!r})"
        else:
            self.fault = None

    def _tidy_if_worn(self) -> None:
        """Tidy when nobody waits; where somebody always does, after a time all the same: each write wears it more."""
        if not self._engine.is_worn:
            self._put_off = 0
        elif self._jobs and self._put_off < _MOST_PUT_OFF:
            self._put_off += 1
        else:
            self._engine.tidy()
            self._put_off = 0

    def _batch(self) -> list[_Job[Any, Any]]:
        """Take the first job, with those behind it that can share its call."""
        batch, room = [], self._batch_size
        while self._jobs:
            job = self._jobs[0]
            if batch and (job.run is not batch[0].run or not job.weight or job.weight > room):
                break
            batch.append(self._jobs.popleft())
            room -= job.weight
        return batch

    def _take(self, job: "_Job[Asked, Result]", result: Result) -> None:
        """Take the result of a piece: the next one goes to the end of the queue, the last one makes the answer."""
        job.results.append(result)
        job.asked.popleft()
        if not job.asked:
            job.future.set_result(job.joined(job.results))
            return
        with self._changed:
            if not job.future.cancelled():
                self._jobs.append(job)  # however full the queue is: it was accepted as a whole

    def _run(self, jobs: Sequence[_Job[Any, Any]]) -> None:
        if not jobs:
            return
        started = monotonic()
        try:
            results = jobs[0].run(self._engine, [job.asked[0] for job in jobs])
        except BaseException as error:  # a panic of the database is none of Exception, and the thread must live on
            if len(jobs) == 1:  # whatever it is belongs to who asked
                _fail(jobs[0], error)
                return
            for half in (jobs[: len(jobs) // 2], jobs[len(jobs) // 2 :]):  # the others must not suffer for one of them
                self._run(half)
            return
        for job, result in zip(jobs, results, strict=True):
            self._take(job, result)
        if jobs[0].run is _search:
            try:
                self._load.searched(results, [started - job.came for job in jobs])
            except Exception:
                _LOG.exception("the figures of a batch could not be taken")


def _is_due(job: _Job[Any, Any]) -> bool:
    """Whether anybody still waits for it; who has waited for the last piece cannot go any more."""
    if monotonic() > job.until and not job.results:  # what is begun is not thrown away
        _fail(job, BusyError("the request has waited beyond its deadline", 1))
        return False
    return not job.future.cancelled() if len(job.asked) > 1 else job.future.set_running_or_notify_cancel()


def _fail(job: _Job[Any, Any], error: BaseException) -> None:
    if job.future.running() or job.future.set_running_or_notify_cancel():
        job.future.set_exception(error)


def _pieces(pairs: Sequence[tuple[str, AnyPicture]]) -> list[list[tuple[str, AnyPicture]]]:
    """Cut pairs where the pictures to read become too many for one turn; without pairs there is one empty piece."""
    pieces: list[list[tuple[str, AnyPicture]]] = [[]]
    met: set[int] = set()
    for text, picture in pairs:
        if not isinstance(picture, IndexedPicture):
            if id(picture) not in met and len(met) == _PICTURES_OF_A_TURN:
                pieces.append([])
                met = set()
            met.add(id(picture))
        pieces[-1].append((text, picture))
    return pieces


def _weight(pairs: Sequence[tuple[str, AnyPicture]]) -> int:
    """How many searches pairs are worth: a picture to read is one, as where it is searched by."""
    pictures = {id(picture) for _, picture in pairs if not isinstance(picture, IndexedPicture)}
    return max(1 + len(pairs) // _PAIRS_OF_A_SEARCH, len(pictures))


def _search(engine: SearchEngine, queries: Sequence[Query]) -> list[Answer]:
    return engine.search_many(queries)


def _score(engine: SearchEngine, asked: Sequence[Sequence[tuple[str, AnyPicture]]]) -> list[NDArray[np.float64]]:
    scores = engine.score([pair for pairs in asked for pair in pairs])
    return np.split(scores, np.cumsum([len(pairs) for pairs in asked])[:-1])
