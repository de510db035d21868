"""Filters that are on are seen and can be taken away, however a link writes them, in a real browser."""

import json
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

pytestmark = pytest.mark.slow
LAST = "html[data-wave=last] "
TITLE = "Orange short-sleeved shirt with white trim"
PRICE: dict[str, Any] = {"name": "price", "values": [], "low": 5, "high": 90}
PRICES: dict[str, Any] = {
    "name": "price",
    "values": [{"value": "5", "cards": 40}, {"value": "90", "cards": 20}],
    "low": None,
    "high": None,
}


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlparse(page.url).query)


def goto(page: Page, address: str) -> None:
    """And wait for the filters."""
    page.goto(address)
    expect(page.locator("#filters fieldset").first).to_be_visible()


def sell(page: Page, price: dict[str, Any]) -> None:
    """Products have prices, which the drawn shop knows nothing of: those are looked at alone."""

    def take(route: Route) -> None:
        body = json.loads(route.request.post_data or "{}")
        body["facets"].pop("price", None)
        answer = route.fetch(post_data=json.dumps({**body, "filter": ""})).json()
        if "facets" in answer:
            answer["facets"].append(price)
        route.fulfill(json=answer)

    page.route("**/v1/search", take)
    page.route("**/v1/facets", take)


@pytest.mark.parametrize(
    ("link", "own"),
    [
        ("f.Colour=red", {"f.colour": ["red"]}),
        ("f.colour=Red", {"f.colour": ["red"]}),
        ("f.COLOUR=Red&f.COLOUR=red&f.COLOUR=BLUE", {"f.colour": ["red", "blue"]}),
    ],
)
def test_names_and_values_of_a_link_are_those_of_the_shop(
    page: Page, address: str, link: str, own: dict[str, list[str]]
) -> None:
    goto(page, f"{address}/?{link}")
    ticked = page.locator("#filters label", has=page.locator("input:checked"))
    expect(ticked.locator("span")).to_have_text(own["f.colour"])
    assert "0" not in ticked.locator("small").all_inner_texts()
    expect(page.locator(".chip")).to_have_count(0)
    assert query(page) == own
    for value in own["f.colour"]:
        page.locator("#filters label", has=page.get_by_text(value, exact=True)).first.click()
    expect(page.locator("#count")).to_have_text("60 products")
    assert query(page) == {}


def test_choices_are_all_kept_while_the_filters_wait_to_be_drawn_anew(page: Page, address: str) -> None:
    sell(page, PRICE)
    goto(page, f"{address}/?f.colour=red&f.colour=blue")
    held: list[Route] = []
    page.route("**/v1/facets", lambda route: held.append(route))
    for value in ("red", "blue"):
        page.locator("#filters label", has=page.get_by_text(value, exact=True)).first.click()
    for end, price in (("from", "7"), ("to", "80")):
        page.get_by_label(f"price {end}").fill(price)
        page.keyboard.press("Tab")
    assert query(page) == {"from.price": ["7"], "to.price": ["80"]}


def test_a_value_that_is_a_number_is_found_as_one(page: Page, address: str) -> None:
    sell(page, PRICES)
    goto(page, f"{address}/?f.price=90.0")
    expect(page.get_by_role("checkbox", name="90 20")).to_be_checked()
    assert query(page) == {"f.price": ["90"]}


def test_two_spellings_of_one_name_both_hold_and_are_both_seen(page: Page, address: str) -> None:
    goto(page, f"{address}/?f.colour=red&f.Colour=blue")
    expect(page.locator("#filters input:checked")).to_have_count(1)
    expect(page.locator(".chip")).to_have_text(["Colour: blue×"])
    expect(page.locator("#notice")).to_have_text(
        "Nothing is left under these filters: colour red; Colour blue.Remove the filters"
    )
    page.click(".chip button")
    expect(page.locator("#count")).to_have_text("3 products")
    assert query(page) == {"f.colour": ["red"]}


@pytest.mark.parametrize("link", ["from.price=abc", "to.price=NaN&from.price=+", "to.price=1e999", "f.colour="])
def test_what_is_no_number_or_no_value_filters_nothing(page: Page, address: str, link: str) -> None:
    goto(page, f"{address}/?not=blue&{link}")
    expect(page.locator("#open-filters")).to_have_text("Filter")
    expect(page.locator("#count")).to_contain_text("60 products")
    assert query(page) == {"not": ["blue"]}


def test_numbers_are_written_as_their_fields_show_them(page: Page, address: str) -> None:
    sell(page, PRICE)
    goto(page, f"{address}/?from.Price=%2B7.50&to.price=nonsense")
    expect(page.get_by_label("price from")).to_have_value("7.5")
    expect(page.get_by_label("price to")).to_have_value("")
    assert query(page) == {"from.price": ["7.5"]}
    page.get_by_label("price from").fill("")
    page.keyboard.press("Tab")
    expect(page.locator("#open-filters")).to_have_text("Filter")
    assert query(page) == {}


def test_a_range_of_what_has_become_ticks_is_seen_and_can_be_removed(page: Page, address: str) -> None:
    sell(page, PRICES)
    goto(page, f"{address}/?q=dress&from.price=3&to.price=50&f.price=5")
    expect(page.get_by_role("checkbox", name="5 40")).to_be_checked()
    expect(page.locator(".chip")).to_have_text(["price from 3 to 50×"])
    page.get_by_role("button", name="Remove price from 3 to 50").click()
    expect(page.locator(".chip")).to_have_count(0)
    assert query(page) == {"q": ["dress"], "f.price": ["5"]}


def test_ticks_of_what_has_become_a_range_are_seen_and_can_be_removed(page: Page, address: str) -> None:
    sell(page, PRICE)
    goto(page, f"{address}/?f.price=5&f.price=90&to.price=50")
    expect(page.get_by_label("price to")).to_have_value("50")
    expect(page.locator(".chip")).to_have_text(["price: 5×", "price: 90×"])
    page.get_by_role("button", name="Remove price: 5", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_text(["price: 90×"])
    expect(page.get_by_role("button", name="Remove price: 90", exact=True)).to_be_focused()
    assert query(page) == {"f.price": ["90"], "to.price": ["50"]}


def test_a_filter_by_what_cannot_be_chosen_by_is_seen_and_can_be_removed(page: Page, address: str) -> None:
    page.goto(f"{address}/?f.TITLE={TITLE.upper()}")
    expect(page.locator("#count")).to_have_text("1 product")
    expect(page.locator(".chip span")).to_have_text([f"title: {TITLE.upper()}"])
    page.click(".chip button")
    expect(page.locator("#count")).to_have_text("60 products")
    expect(page.locator(".chip")).to_have_count(0)
    page.go_back()
    expect(page.locator(".chip span")).to_have_text([f"title: {TITLE.upper()}"])


def test_filters_are_seen_where_there_are_no_controls(page: Page, address: str) -> None:
    page.route("**/v1/facets", lambda route: route.fulfill(status=500, json={"error": {"message": "no"}}))
    page.goto(f"{address}/?f.colour=red")
    expect(page.locator(".chip")).to_have_text(["colour: red×"])
    page.unroute("**/v1/facets")
    page.fill("#text", "dress")
    expect(page.locator("#filters input:checked")).to_have_count(1)
    expect(page.locator(".chip")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_everybody_can_use_filters_without_controls(browser: Browser, address: str, scheme: Any, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"{address}/?f.title={TITLE}&f.Colour=Orange&not=blue")
    expect(page.locator(".chip.filter")).to_have_count(1)
    page.wait_for_selector(LAST + ".card img")
    faults = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["html"] for node in fault["nodes"]][:3]) for fault in faults] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.close()
