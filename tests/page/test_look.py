"""How the page stands in windows large and small, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.slow
LAST = "html[data-wave=last] "


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    """A small touch screen."""
    page = browser.new_page(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, reduced_motion="reduce"
    )
    page.goto(address)
    page.wait_for_selector(LAST + ".card img")
    yield page
    page.close()


def test_a_product_can_be_closed_by_touch(phone: Page) -> None:
    phone.locator(".picture").first.tap()
    expect(phone.locator("#details")).to_be_visible()
    phone.locator("#details .close").tap()  # fails where the picture lies on the button
    expect(phone.locator("#details")).to_be_hidden()


def test_a_product_is_closed_beside_it(page: Page) -> None:
    page.locator(".picture").first.click()
    expect(page.locator("#details")).to_be_visible()
    page.locator("#details h2").click()
    expect(page.locator("#details")).to_be_visible()
    page.mouse.click(20, 450)
    expect(page.locator("#details")).to_be_hidden()


def test_a_phone_says_how_many_filters_are_on_and_shows_them(phone: Page) -> None:
    phone.evaluate("scrollTo(0, document.body.scrollHeight)")
    phone.tap("#open-filters")
    expect(phone.locator("#filters legend").first).to_be_in_viewport()
    phone.locator("#filters label").first.tap()
    expect(phone.locator("#open-filters")).to_have_text("Filter · 1")
    phone.locator("#filters label").first.tap()
    expect(phone.locator("#open-filters")).to_have_text("Filter")


def test_no_keyboard_comes_up_on_a_touch_screen(phone: Page) -> None:
    phone.locator(".card").first.get_by_text("More like this").tap()
    phone.locator(".chip.like button").tap()
    expect(phone.locator(".chip")).to_have_count(0)
    expect(phone.locator("#results")).to_be_focused()


def test_room_for_scores_is_left_where_they_will_come(page: Page) -> None:
    match, why = page.locator(".card .match").first, page.locator(".card .why").first
    expect(match).to_be_hidden()
    expect(why).to_be_hidden()
    page.locator(".card").first.get_by_text("More like this").click()
    page.wait_for_selector(".chip.like")
    expect(match).to_be_hidden()
    page.fill("#text", "red dress")
    page.wait_for_selector(LAST + ".card .match meter")
    box = page.locator(".card .why").last.bounding_box()
    assert box is not None
    assert box["height"] > 10


def test_reasons_do_not_push_what_is_below(page: Page) -> None:
    page.fill("#text", "red dress")
    page.wait_for_selector(LAST + ".card .match meter")
    card = page.locator(".card").first
    before = card.bounding_box()
    card.locator(".picture").focus()
    expect(card.locator(".why button")).to_have_count(2)
    assert card.bounding_box() == before


def test_cards_are_as_wide_with_words_as_without(page: Page) -> None:
    before = page.locator(".picture").first.bounding_box()
    page.fill("#text", "red dress")
    page.wait_for_selector(LAST + ".card .match meter")
    after = page.locator(".picture").first.bounding_box()
    assert before is not None
    assert after is not None
    assert (before["x"], before["width"]) == (after["x"], after["width"])


def test_filters_stay_in_sight_beside_the_last_cards(page: Page) -> None:
    page.click("#more")
    expect(page.locator(".card")).to_have_count(48)
    page.locator(".card").last.scroll_into_view_if_needed()
    expect(page.locator("#filters legend").first).to_be_in_viewport()


@pytest.mark.parametrize("width", [320, 390, 640, 840, 1280])
def test_nothing_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.fill("#text", "red dress -blue ")
    page.locator(".card").first.get_by_text("More like this").click()
    page.wait_for_selector(".chip.like")
    page.wait_for_selector(LAST + ".card .match meter")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    top = page.locator(".top").bounding_box()
    assert top is not None
    assert top["width"] == width


def test_a_products_words_stand_once(page: Page) -> None:
    page.locator(".picture").first.click()
    title = page.locator("#details-title").inner_text()
    facts = page.locator("#details dd").all_inner_texts()
    assert facts
    assert [fact for fact in facts if len(fact) > 24 and fact in title] == []
