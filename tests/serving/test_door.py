"""What is refused before a body is read."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from fashionbert.search import SearchEngine
from fashionbert.serving import ServeSettings, create_app, door
from fashionbert.serving.door import LimitBodies
from fashionbert.serving.worker import BusyError

from .conftest import KEY

JSON = {"content-type": "application/json"}


def error_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize("path", ["/v1/products", "/v1/products/x"])
def test_strangers_are_refused_before_their_body_is_understood(writer: TestClient, path: str) -> None:
    send = writer.post if path == "/v1/products" else writer.put
    garbage: dict[str, Any] = {"content": b"{", "headers": {**JSON, "authorization": "Bearer another"}}
    assert error_of(send(path, **garbage)) == (401, "bad-key")
    assert error_of(send(path, content=b"{", headers=JSON)) == (422, "bad-request")


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"authorization": f"Bearer {KEY}"}, 503)])
def test_nothing_is_read_of_a_body_that_is_refused(own_index: Path, headers: dict[str, str], status: int) -> None:
    """Neither of a stranger's, nor where the queue is full."""
    app = create_app(SearchEngine.open(own_index), ServeSettings.model_validate({"key": KEY, "queue": 1}))
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("the body is read")

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in {**JSON, **headers}.items()]
    scope = {"type": "http", "method": "PUT", "path": "/v1/products/x", "headers": raw, "query_string": b""}
    scope |= {"http_version": "1.1", "scheme": "http", "server": ("here", 80), "root_path": "", "raw_path": b"/"}
    asyncio.run(app({**scope, "client": ("there", 1)}, receive, send))  # its worker was never started: all is refused
    assert sent[0]["status"] == status


def test_a_body_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_SECONDS_WITHOUT_DATA", 0.01)

    async def run() -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()

        async def never() -> Message:
            await asyncio.Event().wait()
            return {}

        async def send(message: Message) -> None:
            pass

        limits = LimitBodies(app, most_bytes=10, most_open=2, smaller={})
        with pytest.raises(HTTPException, match="408"):
            await limits({"type": "http", "method": "POST", "path": "/", "headers": []}, never, send)

    asyncio.run(run())


def test_a_key_may_hold_any_letters(own_index: Path) -> None:
    settings = ServeSettings.model_validate({"key": SecretStr("schlüssel-日本")})
    with TestClient(create_app(SearchEngine.open(own_index), settings)) as client:
        for key, status in (("schlüssel-日本", 204), ("schlussel-日本", 401)):
            headers = {"authorization": f"Bearer {key}".encode()}
            assert client.delete("/v1/products/d1", headers=headers).status_code == status  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("path", ["/v1/search", "/v1/score", "/v1/rerank", "/v1/facets", "/v1/explain"])
def test_other_types_of_bodies_are_refused(client: TestClient, path: str) -> None:
    for content_type in ("text/plain", "application/xml", "image/jpeg"):
        response = client.post(path, content=b"{}", headers={"content-type": content_type})
        assert error_of(response) == (415, "bad-content-type")
        assert content_type in response.json()["error"]["message"]
    assert error_of(client.post(path, content=b"{")) == (415, "bad-content-type")


@pytest.mark.parametrize("path", ["/v1/search", "/v1/score", "/v1/rerank", "/v1/facets", "/v1/explain"])
@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b'{"text": "\\ud800"', b"nul"])
def test_broken_json_is_one_error_everywhere(client: TestClient, path: str, body: bytes) -> None:
    assert error_of(client.post(path, content=body, headers=JSON)) == (422, "bad-request")


NO_TEXT = "\ud800"  # half of a pair, as JSON can write it


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/search", {"text": NO_TEXT}),
        ("/v1/search", {NO_TEXT: 1}),
        ("/v1/score", {"pairs": [{"text": NO_TEXT, "product_id": "d1"}]}),
        ("/v1/score", {"pairs": [{"text": "a", "product_id": NO_TEXT}]}),
        ("/v1/score", {"pairs": [{"text": "a", "image": f"http://{NO_TEXT}/"}]}),
        ("/v1/rerank", {"query": NO_TEXT, "documents": [{"product_id": "d1"}]}),
        ("/v1/rerank", {"query": {"product_id": "d1"}, "documents": [NO_TEXT]}),
        ("/v1/rerank", {"query": "a", "documents": [{"product_id": "d1"}], "model": NO_TEXT}),
        ("/v1/facets", {"filter": f"colour = {NO_TEXT}"}),
        ("/v1/facets", {"facets": {NO_TEXT: ["red"]}}),
        ("/v1/facets", {"facets": {"colour": [NO_TEXT]}}),
        ("/v1/explain", {"text": NO_TEXT, "product_id": "d1"}),
        ("/v1/explain", {"text": "red", "product_id": NO_TEXT}),
        ("/v1/products", {"products": [{"product_id": NO_TEXT, "text": "a", "images": ["a"]}]}),
        (
            "/v1/products",
            {"products": [{"product_id": "a", "text": "a", "images": ["a"], "attributes": {NO_TEXT: ""}}]},
        ),
        ("/v1/products/a", {"text": "a", "images": [NO_TEXT]}),
        ("/v1/products/a", {"text": "a", "images": ["a"], "group_id": NO_TEXT}),
    ],
)
def test_halves_of_surrogate_pairs_are_no_text(writer: TestClient, path: str, body: dict[str, Any]) -> None:
    send = writer.put if path == "/v1/products/a" else writer.post
    assert error_of(send(path, content=json.dumps(body).encode(), headers=JSON)) == (422, "bad-request")


@pytest.mark.parametrize("charset", ["undefined", "punycode", "unicode_escape", "utf-7", "latin-1", "none", ""])
@pytest.mark.parametrize("name", [b"query", rb"\ud800a..\xff"])
def test_forms_come_in_utf_8(client: TestClient, charset: str, name: bytes) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n{"text":"\\ud800 "}\r\n--x--\r\n' % name
    headers = {"content-type": f"multipart/form-data; boundary=x; charset={charset}"}
    assert error_of(client.post("/v1/search", content=body, headers=headers)) == (422, "bad-form")


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8"])
def test_forms_may_say_that_they_are_in_utf_8(client: TestClient, charset: str) -> None:
    body = '--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n{"text":"rötlich"}\r\n--x--\r\n'.encode()
    headers = {"content-type": f"multipart/form-data; boundary=x; charset={charset}"}
    assert client.post("/v1/search", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--x--\r\n"]
)
def test_broken_forms_are_refused(client: TestClient, body: bytes) -> None:
    response = client.post("/v1/search", content=body, headers={"content-type": "multipart/form-data; boundary=x"})
    assert response.status_code in (400, 422)
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/search", "/v1/score", "/v1/products", "/v1/facets"])
def test_too_large_bodies_are_refused_however_they_come(own_index: Path, path: str) -> None:
    settings = ServeSettings.model_validate({"key": KEY, "upload_mb": 2.0})
    with TestClient(create_app(SearchEngine.open(own_index), settings)) as client:
        headers = {**JSON, "authorization": f"Bearer {KEY}"}
        assert error_of(client.post(path, content=b" " * 3_000_000, headers=headers)) == (413, "too-large")
        parts = [b" " * 500_000] * 10
        assert error_of(client.post(path, content=iter(parts), headers=headers)) == (413, "too-large")


def test_bodies_without_pictures_have_a_smaller_limit(client: TestClient) -> None:
    body = b'{"filter": ""' + b" " * 1_000_000 + b"}"
    assert error_of(client.post("/v1/facets", content=body, headers=JSON)) == (413, "too-large")
    assert client.post("/v1/search", content=body, headers=JSON).status_code == 200


def test_a_full_queue_refuses_before_the_body_is_understood(shop_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise BusyError("64 requests are waiting already", 1)

    app = create_app(SearchEngine.open(shop_index), ServeSettings())
    monkeypatch.setattr(app.state.service.worker, "refuse_if_full", full)
    with TestClient(app) as client:
        for path in ("/v1/search", "/v1/score", "/v1/rerank"):
            response = client.post(path, content=b"{", headers=JSON)
            assert error_of(response) == (503, "busy")
            assert response.headers["retry-after"] == "1"


def test_more_requests_than_can_be_held_are_refused_and_places_come_free() -> None:
    async def run() -> list[int]:
        gate, entered, statuses = asyncio.Event(), asyncio.Semaphore(0), []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            entered.release()
            await gate.wait()
            await Response()(scope, receive, send)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            statuses.append(message.get("status"))

        door = LimitBodies(app, most_bytes=10, most_open=2, smaller={})
        post, get = ({"type": "http", "method": method, "path": "/", "headers": []} for method in ("POST", "GET"))
        held = [asyncio.ensure_future(door(post, receive, send)) for _ in range(2)]
        for _ in held:
            await entered.acquire()
        await door(post, receive, send)  # refused, while a request without a body is not
        reading = asyncio.ensure_future(door(get, receive, send))
        await entered.acquire()
        gate.set()
        await asyncio.gather(*held, reading)
        await door(post, receive, send)
        return [status for status in statuses if status]

    assert asyncio.run(run()) == [503, 200, 200, 200, 200]
