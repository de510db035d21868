"""Back and Forward, with pictures, in a real browser."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow
READY = "html[data-wave=last] .card .match meter"
PICTURE = ".chip.image img"


@pytest.fixture
def asked(page: Page) -> list[str | None]:
    """The picture of each search, or None."""
    pictures: list[str | None] = []
    page.on(
        "request",
        lambda request: (
            pictures.append(json.loads(request.post_data or "{}")["image"])
            if request.url.endswith("/v1/search")
            else None
        ),
    )
    return pictures


@pytest.fixture
def pictures(world: Path) -> list[Path]:
    return sorted(world.rglob("*-studio.jpg"))[:2]


def search(page: Page, words: str) -> None:
    page.fill("#text", words)
    page.wait_for_selector(READY)


def choose(page: Page, picture: Path) -> str:
    """Search by it, and say what its chip shows."""
    before = page.locator(PICTURE).get_attribute("src") if page.locator(PICTURE).count() else None
    page.set_input_files("#file", picture)
    expect(page.locator(PICTURE)).to_have_count(1)
    expect(page.locator(PICTURE)).not_to_have_attribute("src", before or "")
    page.wait_for_selector(READY)
    return page.locator(PICTURE).get_attribute("src") or ""


def test_a_picture_leaves_by_back_and_comes_by_forward(
    page: Page, asked: list[str | None], pictures: list[Path]
) -> None:
    search(page, "red dress")
    shown = choose(page, pictures[0])
    with page.expect_request("**/v1/search"):
        page.go_back()
    expect(page.locator(PICTURE)).to_have_count(0)
    expect(page.locator("#text")).to_have_value("red dress")
    assert asked[-1] is None
    page.go_back()
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator("#count")).to_have_text("60 products")
    page.go_forward()
    expect(page.locator("#text")).to_have_value("red dress")
    expect(page.locator(PICTURE)).to_have_count(0)
    with page.expect_request("**/v1/search"):
        page.go_forward()
    expect(page.locator(PICTURE)).to_have_attribute("src", shown)
    assert asked[-1] == shown.partition(",")[2]


def test_each_picture_has_its_own_place(page: Page, pictures: list[Path]) -> None:
    first = choose(page, pictures[0])
    second = choose(page, pictures[1])
    assert first != second
    page.click(".chip.image button")
    expect(page.locator(PICTURE)).to_have_count(0)
    for shown in (second, first):
        page.go_back()
        expect(page.locator(PICTURE)).to_have_attribute("src", shown)
    page.go_back()
    expect(page.locator(PICTURE)).to_have_count(0)
    expect(page.locator("#count")).to_have_text("60 products")


def test_words_beside_a_picture_keep_it(page: Page, pictures: list[Path]) -> None:
    shown = choose(page, pictures[0])
    page.locator("#text").press_sequentially("red dress")
    page.wait_for_url(re.compile(r"q=red\+dress"))
    page.go_back()
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator(PICTURE)).to_have_attribute("src", shown)


def test_a_picture_from_before_a_reload_is_gone_and_stays_so(
    page: Page, asked: list[str | None], pictures: list[Path]
) -> None:
    search(page, "red dress")
    choose(page, pictures[0])
    page.click(".chip.image button")
    expect(page.locator(PICTURE)).to_have_count(0)
    page.reload()
    page.wait_for_selector(READY)
    expect(page.locator(PICTURE)).to_have_count(0)
    shown = choose(page, pictures[1])  # the first of this page's life, as the other was of the former
    with page.expect_request("**/v1/search"):
        page.go_back()
    expect(page.locator(PICTURE)).to_have_count(0)
    with page.expect_request("**/v1/search"):
        page.go_back()
    expect(page.locator(PICTURE)).to_have_count(0)
    expect(page.locator("#text")).to_have_value("red dress")
    assert asked[-1] is None
    assert page.evaluate("history.state.picture") is None
    page.evaluate("history.go(2)")
    expect(page.locator(PICTURE)).to_have_attribute("src", shown)


def test_the_way_past_the_search_field_keeps_the_picture(page: Page, pictures: list[Path]) -> None:
    shown = choose(page, pictures[0])
    page.locator(".skip").focus()
    with page.expect_request("**/v1/search"):
        page.keyboard.press("Enter")
    expect(page.locator("#results")).to_be_focused()
    expect(page.locator(PICTURE)).to_have_attribute("src", shown)


def test_the_same_question_again_is_no_step_back(page: Page) -> None:
    steps = page.evaluate("history.length")
    page.locator("#text").focus()
    with page.expect_request("**/v1/search"):
        page.keyboard.press("Enter")
    with page.expect_request("**/v1/search"):
        page.click("#mark")
    assert page.evaluate("history.length") == steps
    search(page, "red dress")
    assert page.evaluate("history.length") == steps + 1
    assert parse_qs(urlparse(page.url).query) == {"q": ["red dress"]}
