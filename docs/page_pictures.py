"""Take the pictures of the search page that the documentation shows: ``python docs/page_pictures.py demo/index``.

The index is that of ``make demo``: a drawn shop, whose pictures belong to nobody.
"""

import io
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Page, Response, sync_playwright

from fashionbert.search import SearchEngine
from fashionbert.serving import ServeSettings, create_app

PICTURES = Path(__file__).parent / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
READY = "html[data-wave=last] .card .match meter"
ALL_THERE = """() => [...document.images].every(
  (image) => image.getBoundingClientRect().top > innerHeight || (image.complete && image.naturalWidth))"""


@contextmanager
def served(index: Path) -> Iterator[str]:
    """Serve an index on a free port of this machine."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    app = create_app(SearchEngine.open(index), ServeSettings())
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def search(page: Page, words: str) -> None:
    """Type a query and wait until the pair model has put the cards in order."""
    page.fill("#text", words)
    page.wait_for_selector(READY)
    page.wait_for_load_state("networkidle")


def is_last_wave(answer: Response) -> bool:
    """Whether an answer is that of the pair model, the second one to a question."""
    asked = answer.request.post_data_json if answer.url.endswith("/v1/search") else None
    return bool(asked and asked.get("rerank"))


def keep(page: Page, name: str) -> None:
    """Write what the window shows as ``docs/pictures/NAME.webp``, once all pictures in it are there."""
    page.wait_for_function(ALL_THERE)
    Image.open(io.BytesIO(page.screenshot())).save(PICTURES / f"{name}.webp", quality=80, method=6)


def take(index: Path) -> None:
    """Take all pictures."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with served(index) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
        page.goto(address)
        search(page, "red skirt with a belt")
        card = page.locator(".card").first
        card.locator(".picture").hover()
        card.locator(".why button").first.hover()
        page.wait_for_selector(".patches i")
        keep(page, "page")
        page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="dark", reduced_motion="reduce")
        page.goto(address)
        search(page, "green coat -short ")
        with page.expect_response(is_last_wave):
            page.locator(".card").nth(2).get_by_text("More like this").click()
        page.wait_for_selector(".chip.like")
        page.wait_for_selector(READY)
        page.wait_for_load_state("networkidle")
        keep(page, "page-dark")
        page = browser.new_page(viewport={"width": 390, "height": 780}, is_mobile=True, has_touch=True)
        page.goto(address)
        search(page, "yellow dress")
        keep(page, "page-phone")
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
