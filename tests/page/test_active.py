"""Filters of a link, in a real browser."""

import json
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.slow
PRICE: dict[str, Any] = {"name": "price", "values": [], "low": 5, "high": 90}


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


@pytest.mark.parametrize("link", ["from.price=abc", "to.price=NaN&from.price=+", "to.price=1e999", "f.colour="])
def test_what_is_no_number_or_no_value_filters_nothing(page: Page, address: str, link: str) -> None:
    goto(page, f"{address}/?not=blue&{link}")
    expect(page.locator("#open-filters")).to_have_text("Filter")
    expect(page.locator("#count")).to_contain_text("60 products")
    assert query(page) == {"not": ["blue"]}


def test_numbers_are_written_as_their_fields_show_them(page: Page, address: str) -> None:
    sell(page, PRICE)
    goto(page, f"{address}/?from.price=%2B7.50&to.price=nonsense")
    expect(page.get_by_label("price from")).to_have_value("7.5")
    expect(page.get_by_label("price to")).to_have_value("")
    assert query(page) == {"from.price": ["7.5"]}
    page.get_by_label("price from").fill("")
    page.keyboard.press("Tab")
    expect(page.locator("#open-filters")).to_have_text("Filter")
    assert query(page) == {}
