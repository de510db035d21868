"""The thread that owns the engine: requests of all callers wait in one queue, and searches are computed together.

An engine is not for several threads, and two passes at once are slower than one on the same cores. So one thread takes
what has come in meanwhile: the more callers, the larger its batches. What cannot be computed in time is refused when it
comes or dropped before its turn, never after the work.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Generic, TypeVar

from fashionbert.errors import FashionBertError
from fashionbert.search import Answer, Query, SearchEngine
from fashionbert.search.shelf import Shelf

Result = TypeVar("Result")
_LOG = logging.getLogger("fashionbert.serving")


class BusyError(Exception):
    """The queue is full, or a request waited beyond its deadline; it may come again after ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(slots=True)
class _Job(Generic[Result]):
    """Work for the engine; ``query`` where it may share a pass with others."""

    run: Callable[[SearchEngine], Result]
    query: Query | None
    until: float
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
        self._jobs: queue.Queue[_Job[Any] | None] = queue.Queue()
        self._queue_size, self._batch_size = queue_size, batch_size
        self._deadline, self._refresh = deadline, refresh
        self._load = load or Load()
        self._closed = True
        self._lock = threading.Lock()
        self._thread = threading.Thread()
        self.fault: str | None = None
        """Why the index cannot be read at the moment; None while all is well."""

    def start(self) -> None:
        """Begin to work, for the first time or after :meth:`close`."""
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish what was accepted and stop; what comes later is refused."""
        with self._lock:
            self._closed = True
        self._jobs.put(None)
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether jobs are being done."""
        return self._thread.is_alive() and not self._closed

    @property
    def shelf(self) -> Shelf:
        """The version that is searched at the moment, which never changes: any thread may read it, without a turn."""
        return self._engine.shelf

    def search(self, query: Query) -> "Future[Answer]":
        """Put a search in the queue.

        Args:
            query: the question.

        Returns:
            The future of its answer; errors are those of ``SearchEngine.search``.

        Raises:
            BusyError: the queue is full.
        """
        return self._put(_Job(lambda engine: engine.search(query), query, self._until()))

    def call(self, run: Callable[[SearchEngine], Result]) -> "Future[Result]":
        """Put any other work in the queue.

        Args:
            run: gets the engine; its result and its errors are those of the future.

        Returns:
            The future of its result; cancelled before its turn, the work is not done.

        Raises:
            BusyError: the queue is full.
        """
        return self._put(_Job(run, None, self._until()))

    def _until(self) -> float:
        return monotonic() + self._deadline

    def _put(self, job: "_Job[Result]") -> "Future[Result]":
        with self._lock:
            if not self.is_alive:
                raise BusyError("the service is stopping", 5)
            if self._jobs.qsize() >= self._queue_size:
                raise BusyError(f"{self._queue_size} requests are waiting already", 1)
            self._jobs.put(job)
        self._load.waiting(self._jobs.qsize())
        return job.future

    def _work(self) -> None:
        looked, goes_on = monotonic(), True
        while goes_on:
            left = looked + self._refresh - monotonic()
            if left <= 0:  # however busy it is: a queue that is never empty must not hide what others write
                self._look_for_newer()
                looked = monotonic()
                continue
            try:
                job = self._jobs.get(timeout=left)
            except queue.Empty:
                continue
            goes_on = job is not None and self._run_batch(job)

    def _look_for_newer(self) -> None:
        try:
            self._engine.refresh()
        except FashionBertError as error:
            self.fault = str(error)
        except Exception as error:  # the thread must live on, whatever a look at a damaged index brings
            _LOG.exception("a look for a newer version failed")
            self.fault = f"the index cannot be read ({error!r})"
        else:
            self.fault = None

    def _run_batch(self, first: _Job[Any]) -> bool:
        """Run a job, with the searches that wait behind it; False where the end was among them."""
        batch, last, goes_on = [first], None, True
        while first.query is not None and last is None and len(batch) < self._batch_size:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                goes_on = False
                break
            if job.query is None:
                last = job
            else:
                batch.append(job)
        self._load.waiting(self._jobs.qsize())
        self._run_searches(batch) if first.query is not None else self._run_one(first)
        if last is not None:
            self._run_one(last)
        return goes_on

    def _run_searches(self, batch: Sequence[_Job[Answer]]) -> None:
        jobs = [job for job in batch if self._is_due(job)]
        if not jobs:
            return
        started = monotonic()
        try:
            answers = self._engine.search_many([job.query for job in jobs if job.query is not None])
        except Exception:  # one of them is at fault, and the others must not suffer for it
            for job in jobs:
                _finish(job, self._engine)
            return
        self._load.searched(answers, [started - job.came for job in jobs])
        for job, answer in zip(jobs, answers, strict=True):
            job.future.set_result(answer)

    def _run_one(self, job: _Job[Any]) -> None:
        if self._is_due(job):
            _finish(job, self._engine)

    def _is_due(self, job: _Job[Any]) -> bool:
        """Whether anybody still waits for it."""
        if not job.future.set_running_or_notify_cancel():
            return False
        if monotonic() > job.until:
            job.future.set_exception(BusyError("the request has waited beyond its deadline", 1))
            return False
        return True


def _finish(job: _Job[Any], engine: SearchEngine) -> None:
    try:
        job.future.set_result(job.run(engine))
    except Exception as error:  # whatever it is belongs to who asked
        job.future.set_exception(error)
