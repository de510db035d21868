"""A real service on this machine over a drawn shop, and a real browser."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_socket import enable_socket

from fashionbert.catalogue import open_catalogue
from fashionbert.search import IndexOptions, SearchEngine, index_catalogue
from fashionbert.serving import ServeSettings, create_app

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WAIT = 15_000
"""Milliseconds after which something that should have come is missed."""


@pytest.fixture(autouse=True)
def talks_to_this_machine(this_machine: None) -> None:
    """A browser and a service on it."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser: install one of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def index(world: Path, make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the drawn shop, by an untrained model that compares words with patches."""
    place = tmp_path_factory.mktemp("page")
    run = make_run(place / "run", late_interaction_size=4, split_layers=1, side_agreement=True)
    index_catalogue(open_catalogue(world), place / "drawn", model=run, options=IndexOptions(precision="fp32"))
    return place / "drawn"


@pytest.fixture(scope="session")
def address(index: Path) -> Iterator[str]:
    """Of the service."""
    enable_socket()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    app = create_app(SearchEngine.open(index), ServeSettings(deadline_ms=60_000))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A new window on the shop, all of it loaded; a fault in the console, or a request to elsewhere, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(WAIT)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on(
        "request", lambda request: None if request.url.startswith((address, "data:")) else faults.append(request.url)
    )
    page.goto(address)
    page.wait_for_selector("html[data-wave=last] .card img")
    yield page
    page.unroute_all(behavior="ignoreErrors")
    context.close()
    expected = ("net::ERR_INTERNET_DISCONNECTED", "status of 503", "status of 422", "status of 500", "status of 404")
    assert [fault for fault in faults if not any(each in fault for each in expected)] == []
