"""A service that is killed has lost nothing that it said was written."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from http.client import HTTPException
from pathlib import Path

import pytest

from fashionbert.search import SearchEngine

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("this_machine")]
KEY = "a long secret"
START_SECONDS = 120


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


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


def wait_until_ready(port: int, service: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        assert service.poll() is None, "the service has ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5):
                return
        except urllib.error.URLError:
            assert time.monotonic() < end, "the service does not start"
            time.sleep(0.1)


def test_what_was_written_before_a_kill_is_there(own_index: Path, pictures: list[bytes]) -> None:
    port = free_port()
    command = [sys.executable, "-m", "fashionbert", "serve", own_index, "--port", port, "--device", "cpu"]
    service = subprocess.Popen(list(map(str, command)), env={**os.environ, "FASHIONBERT_SERVE_KEY": KEY})
    try:
        wait_until_ready(port, service)
        written = []
        for number in range(4):
            assert put(port, f"new-{number}", pictures[number]) in (200, 201)
            written.append(f"new-{number}")
    finally:
        service.send_signal(signal.SIGKILL)
        service.wait()
    engine = SearchEngine.open(own_index)
    assert set(written) | {"d1", "d2", "d3", "s1", "s2", "s3"} == set(engine.shelf.place_of)
    assert engine.put([]) == ([], [])  # a lock of the dead holds nobody up
    assert engine.delete(written) == written


@pytest.mark.parametrize(("when", "is_new"), [("torn", {False}), ("data", {False, True}), ("after", {True})])
def test_a_kill_inside_a_write_leaves_the_old_product_or_the_new_one(
    own_index: Path, pictures: list[bytes], when: str, is_new: set[bool]
) -> None:
    """d1 has two pictures; what is put in its place has one."""
    port = free_port()
    program = Path(__file__).parents[1] / "killed_inside.py"
    command = [sys.executable, program, "merge_insert", 1, when, own_index]
    command += ["serve", own_index, "--port", port, "--device", "cpu"]
    old = SearchEngine.open(own_index).views("d1")
    service = subprocess.Popen(list(map(str, command)), env={**os.environ, "FASHIONBERT_SERVE_KEY": KEY})
    try:
        wait_until_ready(port, service)
        with pytest.raises((OSError, HTTPException)):
            put(port, "d1", pictures[0])
    finally:
        service.kill()
        service.wait()
    engine = SearchEngine.open(own_index)
    found = engine.views("d1")
    assert (found != old) in is_new
    if found != old:
        assert [(view["text"], view["view"]) for view in found] == [("a new dress", 0)]
    assert set(engine.shelf.place_of) == {"d1", "d2", "d3", "s1", "s2", "s3"}
    assert engine.put([]) == ([], [])
    assert engine.delete(["d1"]) == ["d1"]
