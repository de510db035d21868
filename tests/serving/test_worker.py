"""The queue in front of the engine, with an engine that waits until it is told to go on."""

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest
from starlette.requests import Request

from fashionbert.errors import FolderInUseError, QueryError, SearchIndexError
from fashionbert.search import Answer, Query
from fashionbert.serving import worker as worker_module
from fashionbert.serving.budget import CostEstimate
from fashionbert.serving.problems import ProblemError
from fashionbert.serving.waiting import wait_for
from fashionbert.serving.worker import BusyError, Load, Worker

from .slow_engine import LONG, SlowEngine, ask, busy, make_worker, matches


def test_what_comes_meanwhile_is_computed_together(engine: SlowEngine, worker: Worker) -> None:
    first = busy(engine, worker)
    others = ask(worker, "a", "bb", "ccc")
    engine.gate.release(2)
    assert matches([first, *others]) == [5, 1, 2, 3]
    assert engine.batches == [["first"], ["a", "bb", "ccc"]]


def test_a_batch_has_a_largest_size(engine: SlowEngine) -> None:
    worker = make_worker(engine, batch_size=2)
    busy(engine, worker)
    others = ask(worker, "a", "bb", "ccc")
    engine.gate.release(3)
    assert matches(others) == [1, 2, 3]
    assert engine.batches == [["first"], ["a", "bb"], ["ccc"]]
    worker.close()


def test_a_full_queue_refuses_at_once(engine: SlowEngine, worker: Worker) -> None:
    busy(engine, worker)
    ask(worker, "a", "bb", "ccc")
    with pytest.raises(BusyError, match="3 requests are waiting already") as raised:
        ask(worker, "dddd")
    assert raised.value.retry_after == 1


def test_what_nobody_waits_for_is_not_computed(engine: SlowEngine, worker: Worker) -> None:
    busy(engine, worker)
    a, b = ask(worker, "a", "bb")
    assert a.cancel()
    engine.gate.release(2)
    assert matches([b]) == [2]
    assert engine.batches == [["first"], ["bb"]]
    with pytest.raises(CancelledError):
        a.result(LONG)


def test_what_has_waited_too_long_is_not_computed(engine: SlowEngine) -> None:
    worker = make_worker(engine, deadline=0.0)
    with pytest.raises(BusyError, match="beyond its deadline"):
        ask(worker, "late")[0].result(LONG)
    assert engine.batches == []
    worker.close()


def test_a_bad_query_does_not_harm_the_others_of_its_batch(engine: SlowEngine, worker: Worker) -> None:
    busy(engine, worker)
    a, bad, c = ask(worker, "a", "bad", "ccc")
    engine.gate.release(6)  # the first, the three together, a alone, the other two together, each alone
    assert matches([a, c]) == [1, 3]
    with pytest.raises(QueryError):
        bad.result(LONG)


def test_pairs_of_several_callers_are_scored_together(engine: SlowEngine, worker: Worker) -> None:
    busy(engine, worker)
    one, none, two = (worker.score([(text, b"") for text in texts]) for texts in (["a", "bb"], [], ["ccc"]))
    engine.gate.release(2)
    assert one.result(LONG).tolist() == [0.1, 0.2]
    assert none.result(LONG).tolist() == []
    assert two.result(LONG).tolist() == [0.3]
    assert engine.batches == [["first"], ["a", "bb", "ccc"]]


def test_many_pairs_fill_a_batch_as_several_searches_do(engine: SlowEngine) -> None:
    worker = make_worker(engine, batch_size=3)
    busy(engine, worker)
    few, many, others = (worker.score([("a", b"")] * count) for count in (1, 99, 60))  # they weigh 1, 2 and 2
    engine.gate.release(3)
    assert [len(future.result(LONG)) for future in (few, many, others)] == [1, 99, 60]
    assert [len(batch) for batch in engine.batches] == [1, 100, 60]
    worker.close()


def test_searches_and_pairs_share_no_call(engine: SlowEngine, worker: Worker) -> None:
    busy(engine, worker)
    [a] = ask(worker, "a")
    pair = worker.score([("bb", b"")])
    [c] = ask(worker, "ccc")
    engine.gate.release(4)
    assert matches([a, c]) == [1, 3]
    assert pair.result(LONG).tolist() == [0.2]
    assert engine.batches == [["first"], ["a"], ["bb"], ["ccc"]]


def test_the_place_of_who_has_gone_is_free_for_another(engine: SlowEngine, worker: Worker) -> None:
    busy(engine, worker)
    waiting = ask(worker, "a", "bb", "ccc")
    with pytest.raises(BusyError):
        worker.refuse_if_full()
    assert waiting[1].cancel()
    worker.refuse_if_full()
    [last] = ask(worker, "dddd")
    engine.gate.release(2)
    assert matches([waiting[0], waiting[2], last]) == [1, 3, 4]
    assert engine.batches == [["first"], ["a", "ccc", "dddd"]]


def test_an_idle_worker_tidies_an_index_that_many_small_writes_have_worn(engine: SlowEngine) -> None:
    engine.is_worn = True
    worker = make_worker(engine, refresh=0.01)
    assert engine.tidied.wait(LONG)
    assert engine.refreshed.wait(LONG)
    worker.call(lambda _: None).result(LONG)
    assert not engine.is_worn
    worker.close()


def test_an_index_that_somebody_else_writes_to_is_tidied_later_and_is_no_fault(engine: SlowEngine) -> None:
    engine.is_worn, engine.fault = True, FolderInUseError("somebody writes")
    worker = make_worker(engine, refresh=0.01)
    assert engine.tidied.wait(LONG)
    worker.call(lambda _: None).result(LONG)
    assert engine.is_worn
    assert engine.refreshed.wait(LONG)  # what they have written is seen in any case
    assert worker.fault is None
    worker.close()


def test_a_worker_that_is_never_idle_tidies_in_the_end(engine: SlowEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks after each search, and there is always another one; after two looks in vain it has waited enough."""
    monkeypatch.setattr(worker_module, "_MOST_PUT_OFF", 2)
    now = [100.0]
    monkeypatch.setattr(worker_module, "monotonic", lambda: now[0])
    worker = make_worker(engine, refresh=5.0)
    engine.is_worn = True
    last = busy(engine, worker)
    tidied = []
    for text in "abcd":
        [following] = ask(worker, text)
        now[0] += 5.0
        engine.gate.release()
        matches([last])
        assert engine.entered.acquire(timeout=LONG)  # it has looked, and is at the following one
        tidied.append(engine.tidied.is_set())
        last = following
    engine.gate.release()
    assert tidied == [False, False, True, True]
    worker.close()


def test_other_work_keeps_its_place_among_searches(engine: SlowEngine, worker: Worker) -> None:
    busy(engine, worker)
    [a] = ask(worker, "a")
    batches_then = worker.call(lambda engine: list(engine.batches))  # pyright: ignore[reportAttributeAccessIssue]
    [b] = ask(worker, "bb")
    engine.gate.release(3)
    assert batches_then.result(LONG) == [["first"], ["a"]]
    assert matches([a, b]) == [1, 2]


def test_what_was_accepted_is_answered_before_the_end(engine: SlowEngine) -> None:
    worker = make_worker(engine)
    futures = [busy(engine, worker), *ask(worker, "a", "bb")]
    closing = threading.Thread(target=worker.close)
    closing.start()
    engine.gate.release(2)
    closing.join(LONG)
    assert matches(futures) == [5, 1, 2]
    assert not worker.is_alive
    with pytest.raises(BusyError, match="stopping"):
        ask(worker, "late")


def test_an_idle_worker_looks_for_newer_versions_and_tells_of_a_lost_index(engine: SlowEngine) -> None:
    engine.fault = SearchIndexError("the table is lost")
    worker = make_worker(engine, refresh=0.01)
    assert engine.refreshed.wait(LONG)
    worker.call(lambda _: None).result(LONG)
    assert worker.fault == "the table is lost"
    engine.fault = None
    engine.refreshed.clear()
    assert engine.refreshed.wait(LONG)
    worker.call(lambda _: None).result(LONG)
    assert worker.fault is None
    worker.close()


def test_no_fault_of_a_look_ends_the_thread(engine: SlowEngine) -> None:
    engine.fault = ValueError("invalid magic")
    worker = make_worker(engine, refresh=0.01)
    assert engine.refreshed.wait(LONG)
    worker.call(lambda _: None).result(LONG)
    assert worker.fault is not None
    assert "invalid magic" in worker.fault
    assert worker.is_alive
    worker.close()


def test_a_busy_worker_looks_for_newer_versions_too(engine: SlowEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(worker_module, "monotonic", lambda: now[0])
    worker = make_worker(engine, refresh=5.0)
    first = busy(engine, worker)
    second = ask(worker, "a")
    engine.gate.release(2)
    matches([first, *second])
    assert not engine.refreshed.is_set()
    third = busy(engine, worker)
    fourth = ask(worker, "b")
    now[0] += 5.0
    engine.gate.release(2)
    matches([third, *fourth])
    assert engine.refreshed.is_set()
    worker.close()


def test_the_load_is_told(engine: SlowEngine) -> None:
    batches: list[int] = []
    worker = make_worker(engine, load=Load(searched=lambda answers, waits: batches.append(len(answers) * len(waits))))
    first = busy(engine, worker)
    others = ask(worker, "a", "bb")
    engine.gate.release(2)
    matches([first, *others])
    worker.close()
    assert batches == [1, 4]


def test_a_caller_that_goes_away_is_not_computed_for(engine: SlowEngine, worker: Worker) -> None:
    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def go_away() -> None:
        request = Request({"type": "http", "method": "GET", "path": "/", "headers": []}, receive)  # pyright: ignore[reportArgumentType]
        with pytest.raises(ProblemError) as raised:
            await wait_for(request, worker.search(Query(text="nobody")))
        assert raised.value.status == 499

    busy(engine, worker)
    asyncio.run(go_away())
    [last] = ask(worker, "last")
    engine.gate.release(2)
    matches([last])
    assert engine.batches == [["first"], ["last"]]


def test_costs_are_learnt_from_answers() -> None:
    costs = CostEstimate(base_ms=10.0, card_ms=1.0)
    assert costs.cards(60.0, most=100) == 50
    assert costs.cards(60.0, most=20) == 20
    assert costs.cards(5.0, most=100) == 0
    spent = {"encode": 15.0, "recall": 5.0, "rerank": 200.0}
    for _ in range(200):
        costs.learn([Answer(hits=(), matches=0, reranked=1, pairs=40, milliseconds=spent)] * 2)  # 80 cards in 200 ms
    assert costs.base_ms == pytest.approx(20.0)
    assert costs.card_ms == pytest.approx(2.5)
    assert costs.cards(120.0, most=100) == 40
