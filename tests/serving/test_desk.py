"""Pictures that come in: decoded once, and within limits."""

import asyncio
import base64
import io
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from PIL import Image
from transformers import BatchFeature

from fashionbert.errors import PictureError
from fashionbert.images.decode import PictureLimits
from fashionbert.search import Query, SearchEngine
from fashionbert.search.pictures import SeenPicture
from fashionbert.serving import ServeSettings, create_app
from fashionbert.serving import desk as desk_module
from fashionbert.serving.desk import Desk, Sent
from fashionbert.serving.problems import ProblemError
from fashionbert.serving.worker import BusyError

from .conftest import KEY, encoded


class Caller:
    """Stands in for a request; its caller stays, or goes when he is told to."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, str]:
        await self.gone.wait()
        return {"type": "http.disconnect"}


def stays() -> Any:
    return Caller()


class Looker:
    """Stands in for an engine: a picture has as many pixels as bytes, and takes ten bytes when it is decoded."""

    def __init__(self) -> None:
        self.looked: list[tuple[bytes, str]] = []

    def look(self, picture: bytes, limits: PictureLimits, *, name: str) -> SeenPicture:
        self.looked.append((picture, name))
        if picture == b"bad":
            raise PictureError("damaged", f"{name}: cannot be decoded")
        return SeenPicture((np.zeros(10, np.uint8),), None, len(picture))


class Host:
    """Stands in for links: the path of a URL is its file; what is fetched is noted."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    def fetch(self, url: str, where: str) -> bytes:
        self.fetched.append(where)
        return url.removeprefix("http://a/").encode()


def make_desk(engine: object, links: object = None, deadline: float = 60.0) -> Desk:
    desk = Desk(engine, most_bytes=1000, deadline=deadline, links=links)  # pyright: ignore[reportArgumentType]
    desk.start()
    return desk


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The desk's: it stands still until a test puts it forward."""
    now = [100.0]
    monkeypatch.setattr(desk_module, "monotonic", lambda: now[0])
    return now


def test_pictures_are_looked_at_once_whatever_they_come_as() -> None:
    engine = Looker()
    sent = [Sent("a", b"12"), Sent("b", encoded(b"345")), Sent("c", f"data:image/png;base64,{encoded(b'6')}")]

    async def run() -> list[int]:
        async with make_desk(engine).seen(stays(), sent) as seen:
            return [each.pixels for each in seen]

    assert asyncio.run(run()) == [2, 3, 1]
    assert engine.looked == [(b"12", "a"), (b"345", "b"), (b"6", "c")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("~", "a is no base64"),
        ("http://cdn.shop.com/a.jpg", "a is a URL; nothing is fetched from here"),
        (b"bad", "a: cannot be decoded"),
    ],
)
def test_what_is_no_picture_is_refused(content: str | bytes, says: str) -> None:
    async def run() -> None:
        async with make_desk(Looker()).seen(stays(), [Sent("a", content)]):
            pass

    with pytest.raises((ProblemError, PictureError), match=says):
        asyncio.run(run())


def test_pictures_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "_MOST_PIXELS_TOGETHER", 10)

    async def run(*sizes: int) -> int:
        async with make_desk(Looker()).seen(stays(), [Sent("a", b"." * size) for size in sizes]) as seen:
            return len(seen)

    assert asyncio.run(run(5, 5)) == 2
    with pytest.raises(ProblemError, match="more than 10 pixels together"):
        asyncio.run(run(5, 5, 1))


def test_no_more_pictures_are_held_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "_MOST_HELD", 30)

    async def run() -> int:
        desk = make_desk(Looker())
        two = [Sent("a", b"1"), Sent("b", b"2")]
        with pytest.raises(ProblemError, match=r"more than 3e-05 MB as the model reads them"):  # whoever else holds any
            async with desk.seen(stays(), two * 2):
                pass
        async with desk.seen(stays(), two):
            with pytest.raises(BusyError, match="pictures of other requests are waiting"):
                async with desk.seen(stays(), two):
                    pass
            async with desk.seen(stays(), two[:1]) as third:
                assert len(third) == 1
        with pytest.raises(PictureError):
            async with desk.seen(stays(), [Sent("a", b"bad")]):
                pass
        async with desk.seen(stays(), two) as again:  # what was held is free, after errors too
            return len(again)

    assert asyncio.run(run()) == 2


def test_what_nobody_waits_for_is_not_decoded_and_holds_nothing() -> None:
    """The caller goes while the first of three is being decoded."""
    entered, gate = threading.Event(), threading.Event()

    class Slow(Looker):
        def look(self, picture: bytes, limits: PictureLimits, *, name: str) -> SeenPicture:
            entered.set()
            assert gate.wait(60)
            return super().look(picture, limits, name=name)

    engine, caller = Slow(), Caller()
    desk = make_desk(engine)

    async def run() -> None:
        async def ask() -> None:
            async with desk.seen(caller, [Sent(name, b"1") for name in "abc"]):  # pyright: ignore[reportArgumentType]
                raise AssertionError("nobody is there to be answered")

        asked = asyncio.ensure_future(ask())
        await asyncio.to_thread(entered.wait, 60)
        caller.gone.set()
        with pytest.raises(ProblemError) as raised:
            await asked
        assert raised.value.status == 499
        gate.set()

    asyncio.run(run())
    desk.close()
    desk._decoders.shutdown(wait=True)
    assert [name for _, name in engine.looked] == ["a"]
    assert desk._held == 0


def test_pictures_that_wait_beyond_the_deadline_are_refused() -> None:
    async def run() -> None:
        async with make_desk(Looker(), deadline=-1.0).seen(stays(), [Sent("a", b"1")]):
            pass

    with pytest.raises(BusyError, match="beyond its deadline"):
        asyncio.run(run())


def test_pictures_that_take_longer_than_the_deadline_to_decode_are_no_fault(clock: list[float]) -> None:
    class Slow(Looker):
        def look(self, picture: bytes, limits: PictureLimits, *, name: str) -> SeenPicture:
            clock[0] += 61.0
            return super().look(picture, limits, name=name)

    async def run() -> int:
        async with make_desk(Slow()).seen(stays(), [Sent(name, b"1") for name in "abc"]) as seen:
            return len(seen)

    assert asyncio.run(run()) == 3


def test_what_the_recall_encoder_takes_is_held_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten bytes for the pair model; sixteen, or four, in what a hub model makes."""

    class Both(Looker):
        def look(self, picture: bytes, limits: PictureLimits, *, name: str) -> SeenPicture:
            seen = super().look(picture, limits, name=name)
            return replace(seen, recalled=BatchFeature({"pixel_values": torch.zeros(int(picture))}))

    async def run(floats: bytes) -> int:
        async with make_desk(Both()).seen(stays(), [Sent("a", floats)]) as seen:
            return len(seen)

    monkeypatch.setattr(desk_module, "_MOST_HELD", 25)
    assert asyncio.run(run(b"1")) == 1
    with pytest.raises(ProblemError, match="as the model reads them"):
        asyncio.run(run(b"4"))


LINKS = [Sent(name, f"http://a/{name}") for name in "abc"]


def test_links_that_nobody_waits_for_are_not_fetched() -> None:
    """The caller goes while the first of three is being fetched."""
    entered, gate = threading.Event(), threading.Event()

    class Slow(Host):
        def fetch(self, url: str, where: str) -> bytes:
            entered.set()
            assert gate.wait(60)
            return super().fetch(url, where)

    host, caller = Slow(), Caller()
    desk = make_desk(Looker(), host)

    async def run() -> None:
        asked = asyncio.ensure_future(desk.files(caller, LINKS))  # pyright: ignore[reportArgumentType]
        await asyncio.to_thread(entered.wait, 60)
        caller.gone.set()
        with pytest.raises(ProblemError) as raised:
            await asked
        assert raised.value.status == 499
        gate.set()

    asyncio.run(run())
    desk._fetchers.shutdown(wait=True)
    assert host.fetched == ["a"]


def test_links_have_a_deadline_together(clock: list[float]) -> None:
    """Each takes 40 seconds; the third would begin after 80."""

    class Slow(Host):
        def fetch(self, url: str, where: str) -> bytes:
            clock[0] += 40.0
            return super().fetch(url, where)

    host = Slow()
    assert asyncio.run(make_desk(Looker(), host).files(stays(), LINKS[:2])) == [b"a", b"b"]
    with pytest.raises(ProblemError, match="the links take more than 60 s together") as raised:
        asyncio.run(make_desk(Looker(), host).files(stays(), LINKS))
    assert raised.value.status == 422
    assert host.fetched == ["a", "b", "a", "b"]
    with pytest.raises(BusyError, match="waited beyond its deadline"):  # none is begun
        asyncio.run(make_desk(Looker(), host, deadline=-1.0).files(stays(), [Sent("file", b"1"), *LINKS]))


def test_links_have_a_limit_of_bytes_together() -> None:
    """Of a thousand bytes two may have 400 each, and three may not."""
    host = Host()
    large = [Sent(name, f"http://a/{'.' * 400}") for name in "abcd"]
    assert len(asyncio.run(make_desk(Looker(), host).files(stays(), large[:2]))) == 2
    with pytest.raises(ProblemError, match=r"more than 0\.001 MB together") as raised:
        asyncio.run(make_desk(Looker(), host).files(stays(), large))
    assert raised.value.status == 413
    assert host.fetched == ["a", "b", "a", "b", "c"]


def test_links_of_products_have_the_same_limits(own_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Large(Host):
        def fetch(self, url: str, where: str) -> bytes:
            return super().fetch(url, where) * 600

    host = Large()
    monkeypatch.setattr("fashionbert.serving.app.Links", lambda hosts, most_bytes: host)
    settings = ServeSettings.model_validate({"picture_hosts": "a", "upload_mb": 0.001, "key": KEY})
    with TestClient(create_app(SearchEngine.open(own_index), settings)) as client:
        body = {"text": "a", "images": ["http://a/b"] * 3}
        response = client.put("/v1/products/new", json=body, headers={"Authorization": f"Bearer {KEY}"})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too-large")
    assert host.fetched == ["images.0", "images.1"]


def test_an_app_can_be_started_again(shop_index: Path, pictures: list[bytes]) -> None:
    app = create_app(SearchEngine.open(shop_index), ServeSettings())
    for _ in range(2):
        with TestClient(app) as client:
            assert client.post("/v1/search", json={"image": encoded(pictures[0])}).status_code == 200


def test_a_picture_that_was_decoded_before_gives_the_same(shop_index: Path, pictures: list[bytes]) -> None:
    engine = SearchEngine.open(shop_index)
    seen = engine.look(pictures[0])
    decoded, file = engine.score([("red", seen), ("red", pictures[0])])
    assert decoded == pytest.approx(file, abs=1e-6)
    one, other = (engine.search(Query(text="red", image=image, top=3)) for image in (seen, pictures[0]))
    assert [hit.probability for hit in one.hits] == pytest.approx([hit.probability for hit in other.hits], abs=1e-6)


@pytest.mark.parametrize(
    ("size", "says"),
    [((1, 1), "a side is shorter than 2"), ((8000, 8000), "= 64,000,000 pixels, more than 32,000,000")],
)
def test_a_dot_and_a_bomb_are_refused_in_queries_and_in_products(
    writer: TestClient, size: tuple[int, int], says: str
) -> None:
    """The bomb is a file of some kilobytes."""
    buffer = io.BytesIO()
    Image.new("1", size).save(buffer, "PNG")
    image = encoded(buffer.getvalue())
    asked = {
        "/v1/search": {"image": image},
        "/v1/score": {"pairs": [{"text": "a", "image": image}]},
        "/v1/rerank": {"query": "a", "documents": [{"image": image}]},
        "/v1/products": {"products": [{"product_id": "new", "text": "a", "images": [image]}]},
    }
    for path, body in asked.items():
        response = writer.post(path, json=body)
        assert response.status_code == 422, path
        assert says in response.text, path


def picture_of(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def test_pictures_of_a_write_have_a_limit_of_pixels_together(
    writer: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the turn of the write, and of what will be decoded alone: neither a bomb counts nor what is no picture."""
    monkeypatch.setattr(desk_module, "_MOST_PIXELS_TOGETHER", 1000)
    files = [picture_of(20, 25), picture_of(8000, 8000), b"none", picture_of(20, 25)]
    one, more = (
        {"product_id": f"p{number}", "text": "a", "images": [encoded(each) for each in (*files, *others)]}
        for number, others in enumerate([[], [picture_of(2, 2)]])
    )
    assert writer.post("/v1/products", json={"products": [one]}).status_code == 200
    version = writer.get("/v1/index").json()["version"]
    response = writer.post("/v1/products", json={"products": [more]})
    assert response.status_code == 422
    assert "more than 1,000 pixels together" in response.json()["error"]["message"]
    assert writer.get("/v1/index").json()["version"] == version


def test_a_write_has_a_limit_of_pictures(writer: TestClient, pictures: list[bytes]) -> None:
    many = [{"product_id": f"p{number}", "text": "a", "images": [encoded(pictures[0])] * 20} for number in range(11)]
    response = writer.post("/v1/products", json={"products": many})
    assert response.status_code == 422
    assert "220 pictures, more than 200" in response.text


@pytest.mark.parametrize("attributes", [{"category": "x"}, {"a" * 101: "x"}, {f"a{n}": "x" for n in range(101)}])
def test_attributes_of_a_product_have_bounds(
    writer: TestClient, pictures: list[bytes], attributes: dict[str, str]
) -> None:
    body = {"text": "a", "images": [encoded(pictures[0])], "attributes": attributes}
    assert writer.put("/v1/products/new", json=body).status_code == 422


def test_base64_may_have_line_breaks(client: TestClient, pictures: list[bytes]) -> None:
    image = base64.encodebytes(pictures[0]).decode()
    assert "\n" in image
    assert client.post("/v1/score", json={"pairs": [{"text": "red", "image": image}]}).status_code == 200
