"""A link to what the shop no longer has, in a real browser."""

import re
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.slow
READY = "html[data-wave=last] .card .match meter"


@pytest.mark.parametrize(
    ("link", "words", "action"),
    [
        (
            "f.season=summer",
            "This search filters by “season”, which products here do not have any more.",
            "Remove the filter",
        ),
        (
            "f.season=summer&from.heel_height=3",
            "This search filters by “season”, “heel height”, which products here do not have any more.",
            "Remove the filters",
        ),
        ("like=lost", "The product lost is not here any more.", "Remove it"),
        ("like=lost&unlike=a/b", "The products lost, a/b are not here any more.", "Remove them"),
        (
            "like=lost&f.season=summer",
            "This search filters by “season”, which products here do not have any more. "
            "The product lost is not here any more.",
            "Remove them",
        ),
    ],
)
def test_what_is_gone_is_told_and_leaves_the_question(
    page: Page, address: str, link: str, words: str, action: str
) -> None:
    page.goto(f"{address}/?q=red+dress&{link}")
    expect(page.locator("#notice p")).to_have_text(words)
    expect(page.locator("#notice button")).to_have_text(action)
    page.locator("#notice button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(READY)
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#results")).to_be_focused()
    assert parse_qs(urlparse(page.url).query) == {"q": ["red dress"]}
    page.go_back()
    expect(page.locator("#notice p")).to_have_text(words)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("link", ["f.season=summer&like=lost", "f.colour=none"])
def test_everybody_can_read_what_is_gone(browser: Browser, address: str, link: str, scheme: Any) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"{address}/?q=dress&{link}")
    expect(page.locator("#notice button")).to_be_visible()
    faults = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["html"] for node in fault["nodes"]][:3]) for fault in faults] == []
    page.close()


def test_what_is_not_gone_stays_in_the_question(page: Page, address: str) -> None:
    kept = page.locator(".card img").first.get_attribute("src") or ""
    product_id = kept.split("/")[-1].split("?")[0]
    page.goto(f"{address}/?q=dress&not=blue&like=lost&like={product_id}&f.category=Dresses&f.season=summer")
    page.get_by_text("Remove them").click()
    page.wait_for_selector(READY)
    asked = {"q": ["dress"], "not": ["blue"], "like": [product_id], "f.category": ["Dresses"]}
    assert parse_qs(urlparse(page.url).query) == asked
    expect(page.locator(".chip")).to_have_count(2)


def test_a_filter_that_cannot_be_applied_is_taken_away_too(page: Page, address: str) -> None:
    page.goto(f"{address}/?q=dress&from.colour=3")
    expect(page.locator("#notice")).to_contain_text("'colour' has no values that are numbers")
    page.get_by_text("Remove the filters").click()
    page.wait_for_selector(READY)
    assert parse_qs(urlparse(page.url).query) == {"q": ["dress"]}


def test_a_question_that_cannot_be_asked_at_all_can_be_begun_anew(page: Page, address: str) -> None:
    page.goto(f"{address}/?{'&'.join(f'not=word{number}' for number in range(12))}")
    page.get_by_text("Start anew").click()
    expect(page.locator("#count")).to_have_text("60 products")
    assert urlparse(page.url).query == ""


def test_a_value_that_is_gone_is_named(page: Page, address: str) -> None:
    page.goto(f"{address}/?q=dress&f.colour=no+such&f.colour=colour")
    expect(page.locator("#notice p")).to_have_text("Nothing is left under these filters: colour no such or colour.")
    page.get_by_text("Remove the filters").click()
    page.wait_for_selector(READY)


def test_products_of_a_link_are_called_by_their_words(page: Page, address: str) -> None:
    card = page.locator(".card").first
    title = card.locator(".title").inner_text()
    product_id = (card.locator("img").get_attribute("src") or "").split("/")[-1].split("?")[0]
    page.goto(f"{address}/?like={product_id}&unlike=lost")
    expect(page.locator(".chip.like span")).to_have_text(f"like {title}")
    expect(page.locator(".chip.like button")).to_have_attribute("aria-label", f"Remove like {title}")
    expect(page.locator(".chip.unlike")).to_have_text(re.compile("^not like lost"))
    expect(page.locator(".chip.unlike img")).to_have_count(0)
