import asyncio
import shutil
import socket
import sys
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from fashionbert.cli.main import main
from fashionbert.cli.serve import _listening
from fashionbert.errors import SearchIndexError, SettingsError
from fashionbert.search import SearchEngine
from fashionbert.search.advice import Advice, write_advice
from fashionbert.serving import ServeSettings, create_app, load_serve_settings, openapi_schema


def test_health_and_readiness(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json() == {"status": "ready"}


@pytest.mark.parametrize(
    "path",
    ["/", "/static/style.css", "/health", "/ready", "/v1/index", "/v1/products/d1", "/v1/thumbnails/d1", "/v1/facets"],
)
def test_what_can_be_got_can_be_asked_for_its_head(client: TestClient, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    for name in ("content-type", "content-length", "etag"):
        assert head.headers.get(name) == whole.headers.get(name)


def test_metrics_count_answers_and_stages(shop_index: Path) -> None:
    with TestClient(create_app(SearchEngine.open(shop_index), ServeSettings())) as client:
        client.post("/v1/search", json={"text": "red"})
        client.post("/v1/search", json={"filter": "("})
        client.get("/nothing")
        text = client.get("/metrics").text
    for line in (
        'fashionbert_requests_total{route="/v1/search",status="200"} 1.0',
        'fashionbert_requests_total{route="/v1/search",status="422"} 1.0',
        'fashionbert_requests_total{route="other",status="404"} 1.0',
        'fashionbert_stage_seconds_count{stage="rerank"} 1.0',
        "fashionbert_batch_searches_sum 1.0",
        "fashionbert_index_pictures 9.0",
    ):
        assert line in text


def test_pictures_and_figures_do_not_wait_for_the_model(shop_index: Path) -> None:
    app = create_app(SearchEngine.open(shop_index), ServeSettings(queue=1))
    with TestClient(app) as client:
        worker = app.state.service.worker
        entered, gate = threading.Event(), threading.Event()
        held = worker.call(lambda _: (entered.set(), gate.wait(60)))
        assert entered.wait(60)
        waiting = worker.call(lambda _: None)
        refused = client.post("/v1/search", json={"text": "red"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        for path in ("/v1/thumbnails/d1", "/v1/products/d1", "/metrics", "/health"):
            assert client.get(path).status_code == 200
        gate.set()
        held.result(60)
        waiting.result(60)


def test_a_search_takes_one_turn(shop_index: Path) -> None:
    """What was computed is never refused afterwards for want of a second place in the queue."""
    app = create_app(SearchEngine.open(shop_index), ServeSettings())
    with TestClient(app) as client:
        worker = app.state.service.worker
        called: list[object] = []
        worker.call = called.append
        answer = client.post("/v1/search", json={"text": "red"}).json()
        assert answer["version"] == worker.shelf.version
        assert called == []


def test_every_status_of_a_body_is_declared() -> None:
    paths = openapi_schema()["paths"]
    for path in ("/v1/search", "/v1/score", "/v1/products"):
        assert {"400", "408", "413", "415", "422", "503"} <= paths[path]["post"]["responses"].keys()


def test_answers_carry_security_headers(client: TestClient) -> None:
    for path in ("/", "/v1/index", "/nothing", "/static/..%2f__init__.py"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["nothing.js", "..%2fapp.py", "%2e%2e/app.py"])
def test_only_files_of_the_page_are_given(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}", follow_redirects=False).status_code == 404


def test_a_lost_index_is_said_and_nothing_falls_over(own_index: Path) -> None:
    with TestClient(create_app(SearchEngine.open(own_index), ServeSettings())) as client:
        shutil.rmtree(own_index / "table")
        response = client.post("/v1/search", json={"text": "red"})
        assert response.status_code == 503
        assert response.headers["retry-after"] == "30"
        assert "lost or damaged" in response.json()["error"]["message"]
        assert client.get("/health").status_code == 200


def test_flags_come_before_the_environment_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "serve.yaml"
    file.write_text("port: 1\nqueue: 2\nhost: 0.0.0.0\n")
    monkeypatch.setenv("FASHIONBERT_SERVE_PORT", "3")
    monkeypatch.setenv("FASHIONBERT_SERVE_QUEUE", "4")
    settings = load_serve_settings(file, {"port": 5, "key": None})
    assert (settings.port, settings.queue, settings.host, settings.key) == (5, 4, "0.0.0.0", None)
    assert load_serve_settings(None, {}).host == "127.0.0.1"


def test_the_model_is_given_by_flag_environment_or_file(
    this_machine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command opens the index with it."""
    opened: list[Path | None] = []

    def open_index(folder: Path, *, model: Path | None, device: str) -> None:
        opened.append(model)
        raise SearchIndexError("it is only looked at what is opened")

    monkeypatch.setattr(SearchEngine, "open", open_index)
    (tmp_path / "serve.yaml").write_text("model: from-file\nport: 0\ndevice: cpu\n")
    command = ["fashionbert", "serve", "index", "--config", str(tmp_path / "serve.yaml")]
    for flags, environment in (([], None), ([], "from-environment"), (["--model", "from-flag"], "from-environment")):
        if environment is not None:
            monkeypatch.setenv("FASHIONBERT_SERVE_MODEL", environment)
        monkeypatch.setattr(sys, "argv", [*command, *flags])
        with pytest.raises(SystemExit):
            main()
    assert opened == [Path("from-file"), Path("from-environment"), Path("from-flag")]


def test_every_fault_of_the_settings_is_said(tmp_path: Path) -> None:
    file = tmp_path / "serve.yaml"
    file.write_text("prot: 1\nqueue: none\n")
    with pytest.raises(SettingsError) as raised:
        load_serve_settings(file, {"port": 70_000, "key": "short"})
    for name in ("prot", "queue", "port", "key"):
        assert f"\n  - {name}" in str(raised.value)
    assert "short" not in str(raised.value).replace("shorter", "").replace("too short", "")
    file.write_text("{")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_serve_settings(file, {})
    with pytest.raises(SettingsError, match="there is no file"):
        load_serve_settings(tmp_path / "no.yaml", {})


def test_a_port_in_use_is_said_before_the_model_is_loaded(
    this_machine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(sys, "argv", ["fashionbert", "serve", str(tmp_path / "no-index"), "--port", str(port)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert f"cannot listen on 127.0.0.1, port {port}" in message
    assert "--port 0 takes any that is free" in message


def test_cards_are_re_ranked_as_the_settings_or_the_advice_say(
    shop_index: Path, own_index: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(shop_index.parent / "run", tmp_path / "run")
    for advised, settings, expected in ((3, {}, 3), (1000, {}, 200), (3, {"rerank": 2}, 2), (3, {"rerank": 0}, 0)):
        write_advice(run, Advice(advised), {})
        app = create_app(SearchEngine.open(own_index, model=run), ServeSettings.model_validate(settings))
        with TestClient(app) as client:
            assert client.get("/v1/index").json()["rerank"] == expected
            found = client.post("/v1/search", json={"text": "red dress", "top": 4}).json()
        assert found["reranked"] == min(expected, 4)
    with pytest.raises(ValidationError, match="less than or equal to 200"):
        ServeSettings.model_validate({"rerank": 201})


@pytest.mark.usefixtures("this_machine")
def test_small_answers_are_sent_at_once() -> None:
    """Otherwise the kernel keeps the second half of an answer until the first is acknowledged, 40 ms later."""

    async def sends_at_once(listener: socket.socket) -> bool:
        found: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            sent = writer.get_extra_info("socket")
            found.set_result(bool(sent.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
            writer.close()

        async with await asyncio.start_server(accepted, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            writer.close()
            return await found

    with _listening("127.0.0.1", 0) as listener:
        listener.listen()
        assert asyncio.run(sends_at_once(listener))
