"""A service that is killed has lost nothing that it said was written."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from fashionbert.search import SearchEngine

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("this_machine")]
KEY = "a long secret"
START_SECONDS = 120


def put(port: int, product_id: str, picture: bytes) -> int:
    """Put a product of one picture; the status of the answer."""
    body = {"text": "a new dress", "images": [b64encode(picture).decode()]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/products/{product_id}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.status


@contextmanager
def service(*command: object) -> Iterator[int]:
    """Run a service until the block ends, then kill it; gives the port on which it can be called."""
    program = list(map(str, [sys.executable, *command, "--port", 0, "--device", "cpu"]))
    environment = {**os.environ, "FASHIONBERT_SERVE_KEY": KEY}
    with subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True) as running:
        patience = threading.Timer(START_SECONDS, running.kill)
        patience.start()
        try:
            yield announced_port(running)
        finally:
            patience.cancel()
            running.send_signal(signal.SIGKILL)


def announced_port(running: "subprocess.Popen[str]") -> int:
    """What the service says when it can be called."""
    assert running.stdout is not None
    for line in running.stdout:
        if found := re.match(r"http://127\.0\.0\.1:(\d+) serves ", line):
            return int(found[1])
    raise AssertionError("the service has ended before it could be called")


def test_what_was_written_before_a_kill_is_there(own_index: Path, pictures: list[bytes]) -> None:
    written = []
    with service("-m", "fashionbert", "serve", own_index) as port:
        for number in range(4):
            assert put(port, f"new-{number}", pictures[number]) in (200, 201)
            written.append(f"new-{number}")
    engine = SearchEngine.open(own_index)
    assert set(written) | {"d1", "d2", "d3", "s1", "s2", "s3"} == set(engine.shelf.place_of)
    assert engine.put([]) == ([], [])  # a lock of the dead holds nobody up
    assert engine.delete(written) == written


@pytest.mark.parametrize(("when", "is_new"), [("torn", {False}), ("data", {False, True}), ("after", {True})])
def test_a_kill_inside_a_write_leaves_the_old_product_or_the_new_one(
    own_index: Path, pictures: list[bytes], when: str, is_new: set[bool]
) -> None:
    """d1 has two pictures; what is put in its place has one."""
    program = Path(__file__).parents[1] / "killed_inside.py"
    old = SearchEngine.open(own_index).views("d1")
    command = [program, "merge_insert", 1, when, own_index, "serve", own_index]
    with service(*command) as port, pytest.raises((OSError, HTTPException)):
        put(port, "d1", pictures[0])
    engine = SearchEngine.open(own_index)
    found = engine.views("d1")
    assert (found != old) in is_new
    if found != old:
        assert [(view["text"], view["view"]) for view in found] == [("a new dress", 0)]
    assert set(engine.shelf.place_of) == {"d1", "d2", "d3", "s1", "s2", "s3"}
    assert engine.put([]) == ([], [])
    assert engine.delete(["d1"]) == ["d1"]
