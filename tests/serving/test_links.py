"""Pictures by URL: from allowed hosts alone, never from somebody's own network."""

import gzip
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from fashionbert.errors import SettingsError
from fashionbert.search import SearchEngine
from fashionbert.serving import ServeSettings, create_app, load_serve_settings
from fashionbert.serving.links import Links, is_public
from fashionbert.serving.problems import ProblemError, problem_response


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::5db8:d822", True),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("fec0::1", False),
    ],
)
def test_private_addresses_are_known(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.fixture
def server(this_machine: None) -> Iterator[Callable[[], str]]:
    """A web server of pictures, redirects and worse; gives its host and port."""
    buffer, ended = io.BytesIO(), threading.Event()
    Image.new("RGB", (4, 4), "red").save(buffer, "PNG")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            places = {"/to-a": "/a.png", "/round": "/round", "/to-metadata": "http://169.254.169.254/latest"}
            places |= {"/broken": "http://["}
            if self.path in places:
                self.send_response(302)
                self.send_header("Location", places[self.path])
                self.end_headers()
            elif self.path in ("/a.png?size=4", "/a.png"):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(buffer.getvalue())
            elif self.path == "/drip":
                self.send_response(200)
                self.end_headers()
                with suppress(OSError):
                    while not ended.wait(0.01):
                        self.wfile.write(b".")
                        self.wfile.flush()
            elif self.path == "/packed":
                self.send_response(200)
                self.send_header("Content-Encoding", "gzip")
                self.end_headers()
                self.wfile.write(gzip.compress(bytes(100_000)))
            elif self.path == "/large":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"." * 2000)
            else:
                self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield lambda: f"127.0.0.1:{httpd.server_port}"
        ended.set()
        httpd.shutdown()
        thread.join()


def test_pictures_come_from_allowed_hosts(server: Callable[[], str]) -> None:
    host = server()
    links = Links([host], most_bytes=1000, allowed=lambda _: True)
    for path in ("/a.png", "/a.png?size=4", "/to-a"):
        assert links.fetch(f"http://{host}{path}", "image")[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://{host}/nothing", "answers with status 404"),
        ("http://{host}/large", "more than 0.001 MB"),
        ("http://{host}/round", "redirected more than 3 times"),
        ("http://{host}/to-metadata", "not of an allowed host"),
        ("http://other.com/a.png", "not of an allowed host"),
        ("http://me@{host}/a.png", "not of an allowed host"),
        ("ftp://{host}/a.png", "not of an allowed host"),
        ("http://{host}/broken", "cannot be had"),
        ("http://{host}/packed", "is a compressed answer"),
        ("http://[", "cannot be had"),
        ("http://no..host/a", "cannot be had"),
        ("http://127.0.0.1:1/a", "cannot be had"),
    ],
)
def test_what_cannot_be_fetched_is_said(server: Callable[[], str], url: str, says: str) -> None:
    hosts = [server(), "127.0.0.1:1"]
    with pytest.raises(ProblemError, match=says):
        Links(hosts, most_bytes=1000, allowed=lambda _: True).fetch(url.format(host=server()), "image")


@pytest.mark.parametrize(
    ("url", "quoted"),
    [("http://\ud800/", r"'http://\ud800/'"), (f"http://a.com/{'b' * 9000}", f"'http://a.com/{'b' * 183}...")],
)
def test_a_message_repeats_no_more_of_a_url_than_can_be_read(url: str, quoted: str) -> None:
    with pytest.raises(ProblemError) as raised:
        Links(["cdn.shop.com"], most_bytes=1000).fetch(url, "image")
    assert raised.value.message.startswith(f"image: {quoted} ")
    assert len(raised.value.message) < 500


def test_a_server_that_drips_is_cut_off(server: Callable[[], str]) -> None:
    links = Links([server()], most_bytes=10**9, seconds=0.2, allowed=lambda _: True)
    with pytest.raises(ProblemError, match=r"takes more than 0\.2 seconds"):
        links.fetch(f"http://{server()}/drip", "image")


@pytest.mark.parametrize(
    ("allowed", "host", "port", "scheme", "is_allowed"),
    [
        ("cdn.shop.com", "cdn.shop.com", 443, "https", True),
        ("CDN.shop.com:443", "cdn.shop.com", 443, "https", True),
        ("cdn.shop.com", "cdn.shop.com", 8080, "http", False),
        ("cdn.shop.com", "a.cdn.shop.com", 443, "https", False),
        ("[::1]:8080", "::1", 8080, "http", True),
        ("intern:8080", "intern", 80, "http", False),
        ("Bücher.example", "xn--bcher-kva.example", 443, "https", True),
        ("bücher.example:8080", "xn--bcher-kva.example", 8080, "http", True),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", 443, "https", True),
        ("::1", "::1", 80, "http", True),
    ],
)
def test_hosts_are_compared_with_their_ports(allowed: str, host: str, port: int, scheme: str, is_allowed: bool) -> None:
    assert Links([allowed], most_bytes=1)._is_allowed(host, port, scheme) is is_allowed


def test_the_service_takes_links_where_hosts_are_named(
    server: Callable[[], str], shop_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fashionbert.serving.app.Links", partial(Links, allowed=lambda _: True))
    settings = ServeSettings.model_validate({"picture_hosts": server()})
    with TestClient(create_app(SearchEngine.open(shop_index), settings)) as client:
        found = client.post("/v1/search", json={"image": f"HTTP://{server()}/a.png", "top": 3})
        assert (found.status_code, len(found.json()["hits"])) == (200, 3)
        refused = client.post("/v1/search", json={"image": "https://elsewhere.com/a.png"})
        assert refused.status_code == 422
        assert "not of an allowed host" in refused.json()["error"]["message"]


def test_an_allowed_host_with_a_private_address_is_refused(server: Callable[[], str]) -> None:
    with pytest.raises(ProblemError, match="is not public"):
        Links([server()], most_bytes=1000).fetch(f"http://{server()}/a.png", "image")


def test_hosts_are_given_by_flag_environment_or_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASHIONBERT_SERVE_PICTURE_HOSTS", "cdn.shop.com, intern:8080")
    assert load_serve_settings(None, {}).picture_hosts == ("cdn.shop.com", "intern:8080")
    assert load_serve_settings(None, {"picture_hosts": ["a.com"]}).picture_hosts == ("a.com",)
    for wrong in ("https://cdn.shop.com", "*.shop.com"):
        with pytest.raises(SettingsError, match="name hosts alone"):
            load_serve_settings(None, {"picture_hosts": [wrong]})
    for wrong in ("no..host", "ü" * 64, "\ud800.com"):
        with pytest.raises(SettingsError, match="no host can be called so"):
            load_serve_settings(None, {"picture_hosts": ["bücher.example", wrong]})


def test_every_problem_can_be_sent() -> None:
    response = problem_response(ProblemError(422, "bad-query", "no \ud800", ["nor \udfff", "but ü"]))
    error = json.loads(bytes(response.body))["error"]
    assert (error["message"], error["details"]) == (r"no \ud800", [r"nor \udfff", "but ü"])
