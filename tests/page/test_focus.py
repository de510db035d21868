"""Where the keyboard is, after the page has changed what it was on: never lost, in a real browser."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.slow
LAST = "html[data-wave=last] "
LABEL = "document.activeElement.getAttribute('aria-label')"


def search(page: Page, words: str) -> None:
    page.fill("#text", words)
    page.wait_for_selector(LAST + ".card .match meter")


def asked(route: Route) -> dict[str, Any]:
    return json.loads(route.request.post_data or "{}")


class SecondWave:
    """Holds the second wave of a search back, to answer it with the cards of the first as one likes."""

    def __init__(self, page: Page, words: str) -> None:
        self.hits: list[dict[str, Any]] = []
        self._held: list[Route] = []
        self._page = page
        page.route("**/v1/search", self._take)
        with page.expect_request(lambda request: '"rerank":50' in (request.post_data or "")):
            page.fill("#text", words)

    def _take(self, route: Route) -> None:
        if asked(route)["rerank"]:
            self._held.append(route)
        else:
            answer = route.fetch().json()
            self.hits = answer["hits"]
            route.fulfill(json=answer)

    def answer(self, hits: list[dict[str, Any]]) -> None:
        read = [{**hit, "probability": 0.5} for hit in hits]
        self._held[0].fulfill(json={"hits": read, "matches": 60, "reranked": len(read), "nothing_matches": False})
        self._page.wait_for_selector(LAST + ".card .match meter")


@pytest.mark.parametrize("control", [".picture", ".actions button:first-child", ".actions button:last-child"])
@pytest.mark.parametrize("place", [0, 2, 23])
def test_the_second_wave_leaves_the_focus_on_its_product(page: Page, control: str, place: int) -> None:
    second = SecondWave(page, "red dress")
    page.locator(f".card {control}").nth(place).focus()
    label = page.evaluate(LABEL)
    assert second.hits[place]["text"] in label
    second.answer(second.hits[::-1])
    assert page.locator(".card .title").all_inner_texts() == [hit["text"] for hit in second.hits[::-1]]
    expect(page.locator(f".card {control}").nth(23 - place)).to_be_focused()
    assert page.evaluate(LABEL) == label


def test_the_second_wave_takes_the_product_of_the_focus_away(page: Page) -> None:
    second = SecondWave(page, "red dress")
    page.locator(".card .picture").first.focus()
    second.answer(second.hits[1:])
    expect(page.locator("#results")).to_be_focused()


def test_reasons_come_when_the_card_of_the_focus_has_been_read(page: Page) -> None:
    second = SecondWave(page, "red dress")
    page.locator(".card .picture").nth(1).focus()
    second.answer(second.hits)
    expect(page.locator(".card").nth(1).locator(".why button")).to_have_count(2)


@pytest.mark.parametrize("words", ["", "red dress"])
def test_more_cards_take_the_focus_to_the_first_new_one(page: Page, words: str) -> None:
    if words:
        search(page, words)
    before = page.locator(".picture").evaluate_all("all => all.map(each => each.getAttribute('aria-label'))")
    page.locator("#more").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_have_count(48)
    labels = page.locator(".picture").evaluate_all("all => all.map(each => each.getAttribute('aria-label'))")
    expect(page.locator(".picture").nth(next(n for n, each in enumerate(labels) if each not in before))).to_be_focused()


def test_cards_stay_while_more_are_fetched(page: Page) -> None:
    search(page, "red dress")
    held: list[Route] = []
    page.route("**/v1/search", lambda route: held.append(route))
    with page.expect_request("**/v1/search"):
        page.click("#more")
    expect(page.locator("#more")).to_have_text("Searching…")
    assert page.locator(".card:not(.skeleton)").count() == 24
    held[0].fulfill(status=500, json={"error": {"code": "fault", "message": "gone", "details": []}})
    expect(page.locator("#notice")).to_contain_text("Try again")
    expect(page.locator("#more")).to_have_text("Show more")
    expect(page.locator("#more")).to_be_focused()
    assert page.locator(".card:not(.skeleton)").count() == 24


def test_a_removed_chip_hands_the_focus_on(page: Page) -> None:
    page.fill("#text", "dress -blue -red -green ")
    expect(page.locator(".chip")).to_have_count(3)
    page.locator(".chip button").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(2)
    expect(page.locator(".chip button").nth(1)).to_be_focused()
    expect(page.locator(".chip").nth(1)).to_contain_text("green")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(1)
    expect(page.locator("#text")).to_be_focused()


@pytest.mark.parametrize("wish", ["More like this", "Not this"])
def test_a_wish_takes_the_focus_to_the_results(page: Page, wish: str) -> None:
    page.locator(".card").nth(3).get_by_text(wish).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".chip")
    expect(page.locator("#results")).to_be_focused()
    expect(page.locator("#count")).to_have_text("59 products, best first")  # no card has a button before
    page.keyboard.press("Tab")
    expect(page.locator(".picture").first).to_be_focused()


def test_cards_that_give_way_to_waiting_hand_the_focus_on(page: Page) -> None:
    search(page, "red dress")
    held: list[Route] = []
    page.route("**/v1/search", lambda route: held.append(route))
    page.locator(".picture").first.focus()
    page.evaluate("history.back()")
    page.wait_for_selector(".skeleton")
    expect(page.locator("#results")).to_be_focused()
    held[0].continue_()


def test_all_values_are_shown_and_the_first_new_one_has_the_focus(page: Page) -> None:
    group = page.locator("#filters fieldset", has=page.locator("button.more")).first
    name, shown = group.locator("legend").inner_text(), group.locator("input").count()
    group.locator("button.more").focus()
    page.keyboard.press("Enter")
    group = page.locator("#filters fieldset", has=page.locator("legend", has_text=name))
    expect(group.locator("input").nth(shown)).to_be_focused()


def test_the_answer_to_a_notice_takes_the_focus_to_the_results(page: Page) -> None:
    page.route(
        "**/v1/search", lambda route: route.fulfill(status=500, json={"error": {"message": "The index is gone."}})
    )
    page.fill("#text", "red")
    page.get_by_text("Try again").focus()
    page.unroute("**/v1/search")
    page.keyboard.press("Enter")
    page.wait_for_selector(LAST + ".card .match meter")
    expect(page.locator("#results")).to_be_focused()
