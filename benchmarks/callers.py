"""Callers of a service on this machine: some at a time, or so many a second whatever comes back."""

import http.client
import itertools
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np

HOST = "127.0.0.1"
Asked: TypeAlias = dict[str, object]


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        return listening.getsockname()[1]


def wait_until_ready(port: int, seconds: float = 300) -> None:
    """Wait until the service answers that it can search."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=5)
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"nothing is ready on port {port}")


class Caller:
    """One connection, kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=60)

    def search(self, text: str, rerank: int) -> int:
        """Search, read the whole answer, and give its status."""
        body = json.dumps({"text": text, "rerank": rerank, "top": 20})
        self._connection.request("POST", "/v1/search", body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        response.read()
        return response.status


def ask_together(port: int, texts: Sequence[str], callers: int, rerank: int) -> Asked:
    """Let some callers ask, each its next question when the last one is answered.

    Args:
        port: of the service.
        texts: what is asked, shared out among the callers.
        callers: how many ask at a time.
        rerank: cards that the pair model puts in order.

    Returns:
        Median and 95th percentile of the time to the whole answer in ms, searches a second, and how often each status.
    """
    questions = iter(texts)
    lock, taken, statuses = threading.Lock(), list[float](), Counter[int]()

    def call() -> None:
        caller = Caller(port)
        while True:
            with lock:
                text = next(questions, None)
            if text is None:
                return
            started = time.perf_counter()
            status = caller.search(text, rerank)
            elapsed = time.perf_counter() - started
            with lock:
                taken.append(elapsed)
                statuses[status] += 1

    started = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        for future in [pool.submit(call) for _ in range(callers)]:
            future.result()
    seconds = time.perf_counter() - started
    assert statuses.total() == len(texts), f"{len(texts)} questions, {statuses}"
    return {**_percentiles(taken), "searches_a_second": round(len(taken) / seconds, 1), "statuses": _named(statuses)}


def ask_at_rate(port: int, texts: Sequence[str], *, rate: float, seconds: float, rerank: int) -> Asked:
    """Ask so many questions a second, whether the earlier ones are answered or not.

    Args:
        port: of the service.
        texts: what is asked, again from the start when all have been.
        rate: questions a second.
        seconds: for so long.
        rerank: cards that the pair model puts in order.

    Returns:
        How often each status, failures to get any by kind, and the times of those that were answered and of those
        refused; every question is in one of them.
    """
    lock, statuses = threading.Lock(), Counter[int]()
    taken: dict[bool, list[float]] = {True: [], False: []}
    failures = Counter[str]()
    local = threading.local()

    def call(text: str) -> None:
        started = time.perf_counter()
        try:
            local.caller = getattr(local, "caller", None) or Caller(port)
            status = local.caller.search(text, rerank)
        except Exception as error:  # a failed question must not be missing; nobody asks for the future's result
            local.caller = None
            with lock:
                failures[type(error).__name__] += 1
            return
        with lock:
            statuses[status] += 1
            taken[status == 200].append(time.perf_counter() - started)

    questions, asked = itertools.cycle(texts), int(rate * seconds)
    started = time.perf_counter()
    with ThreadPoolExecutor(256) as pool:
        for number in range(asked):
            time.sleep(max(0.0, started + number / rate - time.perf_counter()))
            pool.submit(call, next(questions))
    assert statuses.total() + failures.total() == asked, f"{asked} questions, {statuses} and {failures}"
    return {
        "statuses": _named(statuses),
        "failures": dict(failures),
        "answered": _percentiles(taken[True]),
        "refused": _percentiles(taken[False]),
    }


def _percentiles(seconds: Sequence[float]) -> Asked:
    if not seconds:
        return {}
    middle, high = np.percentile(seconds, [50, 95])
    return {"p50_ms": round(1000 * float(middle), 2), "p95_ms": round(1000 * float(high), 2)}


def _named(statuses: Counter[int]) -> dict[str, int]:
    return {str(status): times for status, times in sorted(statuses.items())}
