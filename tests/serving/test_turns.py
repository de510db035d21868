"""Pairs of many pictures have several turns, and the requests of others come between."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fashionbert.errors import QueryError
from fashionbert.search.pictures import IndexedPicture
from fashionbert.serving import worker as worker_module
from fashionbert.serving.worker import Worker

from .slow_engine import LONG, SlowEngine, ask, busy, make_worker, matches


def pairs_of(count: int) -> list[tuple[str, bytes]]:
    """Pairs of as many pictures; the words of each are as long as its place."""
    return [("." * place, bytes([place, 0])) for place in range(count)]


def test_pairs_of_many_pictures_have_several_turns_and_others_come_between(engine: SlowEngine, worker: Worker) -> None:
    busy(engine, worker)
    many = worker.score(pairs_of(70))
    [search] = ask(worker, "a")
    few = worker.score([("bb", b"")])
    engine.gate.release(6)
    assert many.result(LONG) == pytest.approx([place / 10 for place in range(70)])
    assert matches([search]) == [1]
    assert few.result(LONG).tolist() == [0.2]
    assert [len(batch) for batch in engine.batches] == [1, 32, 1, 1, 32, 6]
    assert engine.batches[2:4] == [["a"], ["bb"]]


def test_pictures_of_several_callers_share_a_turn_up_to_a_size(engine: SlowEngine, worker: Worker) -> None:
    """A batch has room for eight searches, and a picture that must be read is worth one."""
    busy(engine, worker)
    several = [worker.score(pairs_of(count)) for count in (3, 5, 1)]
    engine.gate.release(3)
    assert [len(future.result(LONG)) for future in several] == [3, 5, 1]
    assert [len(batch) for batch in engine.batches] == [1, 8, 1]


@pytest.mark.parametrize("pictures", [[b"one"] * 200, [IndexedPicture(f"{place}") for place in range(200)]])
def test_what_needs_little_reading_has_one_turn(engine: SlowEngine, worker: Worker, pictures: list[Any]) -> None:
    """One picture with many words, and many pictures that the index has read."""
    busy(engine, worker)
    found = worker.score([("a", picture) for picture in pictures])
    engine.gate.release(2)
    assert len(found.result(LONG)) == 200
    assert [len(batch) for batch in engine.batches] == [1, 200]


def test_the_rest_of_pairs_that_nobody_waits_for_is_not_computed(engine: SlowEngine, worker: Worker) -> None:
    """One caller goes while the first of his pieces is at the engine, another one while his second waits."""
    entered = threading.Event()
    plain = engine.score

    def score(pairs: Sequence[tuple[str, Any]]) -> NDArray[np.float64]:
        entered.set()
        return plain(pairs)

    engine.score = score
    one, other = worker.score(pairs_of(70)), worker.score(pairs_of(40))
    assert entered.wait(LONG)
    assert one.cancel()
    [search] = ask(worker, "x")
    engine.gate.release(2)
    assert engine.entered.acquire(timeout=LONG)  # the search has come between the pieces of the other
    assert other.cancel()
    engine.gate.release()
    matches([search])
    worker.close()
    assert [len(batch) for batch in engine.batches] == [32, 32, 1]


def test_a_fault_in_a_later_piece_is_told_and_ends_the_rest(engine: SlowEngine, worker: Worker) -> None:
    plain = engine.score

    def score(pairs: Sequence[tuple[str, Any]]) -> NDArray[np.float64]:
        found = plain(pairs)
        if len(engine.batches) == 2:
            raise QueryError("there is no such product")
        return found

    engine.score = score
    many = worker.score(pairs_of(70))
    engine.gate.release(2)
    with pytest.raises(QueryError):
        many.result(LONG)
    assert [len(batch) for batch in engine.batches] == [32, 32]
    assert worker.is_alive


def test_what_is_begun_is_finished_whatever_the_deadline(engine: SlowEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(worker_module, "monotonic", lambda: now[0])
    worker = make_worker(engine, refresh=10**6)
    plain = engine.score

    def score(pairs: Sequence[tuple[str, Any]]) -> NDArray[np.float64]:
        now[0] += LONG + 1
        return plain(pairs)

    engine.score = score
    many = worker.score(pairs_of(70))
    engine.gate.release(3)
    assert len(many.result(LONG)) == 70
    worker.close()


def test_what_has_several_turns_is_finished_before_the_end(engine: SlowEngine) -> None:
    worker = make_worker(engine)
    many = worker.score(pairs_of(70))
    closing = threading.Thread(target=worker.close)
    closing.start()
    engine.gate.release(3)
    closing.join(LONG)
    assert len(many.result(0)) == 70
