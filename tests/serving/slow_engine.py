"""An engine that waits until it is told to go on, and what asks it."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import FolderInUseError, QueryError
from fashionbert.search import Answer, Query
from fashionbert.serving.worker import Worker

LONG = 60.0


class SlowEngine:
    """Answers with as many matches as the query has letters; holds a gate before each batch."""

    def __init__(self) -> None:
        self.gate, self.entered = threading.Semaphore(0), threading.Semaphore(0)
        self.batches: list[list[str]] = []
        self.fault: Exception | None = None
        self.refreshed, self.tidied = threading.Event(), threading.Event()
        self.is_worn = False

    def search_many(self, queries: Sequence[Query]) -> list[Answer]:
        self.entered.release()
        assert self.gate.acquire(timeout=LONG)
        self.batches.append([query.text for query in queries])
        if any(query.text == "bad" for query in queries):
            raise QueryError("the query cannot be answered")
        return [Answer(hits=(), matches=len(query.text)) for query in queries]

    def score(self, pairs: Sequence[tuple[str, Any]]) -> NDArray[np.float64]:
        """A tenth for each letter."""
        assert self.gate.acquire(timeout=LONG)
        self.batches.append([text for text, _ in pairs])
        return np.asarray([len(text) / 10 for text, _ in pairs])

    def tidy(self) -> None:
        self.tidied.set()
        if isinstance(self.fault, FolderInUseError):
            raise self.fault
        self.is_worn = False

    def refresh(self) -> bool:
        self.refreshed.set()
        if self.fault is not None and not isinstance(self.fault, FolderInUseError):
            raise self.fault
        return False


def make_worker(engine: Any, **changes: Any) -> Worker:
    values = {"queue_size": 3, "batch_size": 8, "deadline": LONG, "refresh": LONG, **changes}
    worker = Worker(engine, **values)
    worker.start()
    return worker


def ask(worker: Worker, *texts: str) -> "list[Future[Answer]]":
    return [worker.search(Query(text=text)) for text in texts]


def matches(futures: "Sequence[Future[Answer]]") -> list[int]:
    return [future.result(LONG).matches for future in futures]


def busy(engine: SlowEngine, worker: Worker) -> "Future[Answer]":
    """A search that the engine is at."""
    [first] = ask(worker, "first")
    assert engine.entered.acquire(timeout=LONG)
    return first
