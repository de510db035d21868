"""What a person does on the page, in a real browser."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

import fashionbert.serving

pytestmark = pytest.mark.slow
FILES = Path(fashionbert.serving.__file__).parent / "page"
LAST = "html[data-wave=last] "


def search(page: Page, words: str) -> None:
    page.fill("#text", words)
    page.wait_for_selector(LAST + ".card .match meter")


def titles(page: Page) -> list[str]:
    return page.locator(".card .title").all_inner_texts()


def asked(route: Route) -> dict[str, Any]:
    return json.loads(route.request.post_data or "{}")


def test_the_page_is_small() -> None:
    files = {path.name: path.stat().st_size for path in FILES.iterdir()}
    assert {"index.html", "style.css", "app.js"} <= set(files)
    assert sum(files.values()) < 100_000


def test_words_find_products_in_two_waves(page: Page) -> None:
    waves: list[int] = []
    page.on(
        "request",
        lambda request: (
            waves.append(json.loads(request.post_data or "{}")["rerank"])
            if request.url.endswith("/v1/search")
            else None
        ),
    )
    before = titles(page)
    search(page, "red dress")
    assert waves[-2:] == [0, 50]
    assert titles(page) != before
    expect(page.locator("#count")).to_have_text(re.compile(r"^\d+ products, best first$"))
    expect(page.locator(".card .match").first).to_have_text(re.compile(r"^score \d+ %$"))
    assert parse_qs(urlparse(page.url).query) == {"q": ["red dress"]}


def test_cards_move_to_their_new_places(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.add_init_script(
        "window.moves = 0; const animate = Element.prototype.animate;"
        "Element.prototype.animate = function (...words) { window.moves += 1; return animate.apply(this, words); };"
    )
    page.goto(address)
    page.wait_for_selector(LAST + ".card img")
    before = page.evaluate("moves")
    search(page, "blue trousers")
    assert page.evaluate("moves") > before
    page.close()


def test_back_and_forth(page: Page) -> None:
    first = titles(page)
    search(page, "red dress")
    found = titles(page)
    page.go_back()
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator(".card .title").first).to_have_text(first[0])
    page.go_forward()
    page.wait_for_selector(LAST + ".card .match meter")
    assert titles(page) == found
    page.reload()
    page.wait_for_selector(LAST + ".card .match meter")
    assert titles(page) == found


def test_a_filter_leaves_what_it_says(page: Page) -> None:
    group = page.locator("#filters fieldset", has=page.locator("legend", has_text="subcategory"))
    label = group.locator("label").first
    kind, cards = label.locator("span").inner_text(), int(label.locator("small").inner_text())
    label.click()
    expect(page.locator("#count")).to_have_text(f"{cards} product{'s' if cards > 1 else ''}")
    assert all(text.startswith(kind) for text in page.locator(".card .facts").all_inner_texts())
    assert group.locator("label").count() > 1
    expect(label.locator("input")).to_be_checked()
    label.click()
    expect(page.locator("#count")).to_have_text("60 products")


def test_a_picture_is_chosen_and_taken_away(page: Page, world: Path) -> None:
    picture = sorted(world.rglob("*-studio.jpg"))[0]
    page.set_input_files("#file", picture)
    page.wait_for_selector(LAST + ".card .match meter")
    expect(page.locator(".chip.image img")).to_have_attribute("src", re.compile("^data:image/jpeg"))
    page.click(".chip.image button")
    expect(page.locator("#count")).to_have_text("60 products")


def test_a_picture_is_pasted(page: Page, world: Path) -> None:
    picture = sorted(world.rglob("*-studio.jpg"))[1].read_bytes()
    page.evaluate(
        """bytes => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], 'a.jpg', { type: 'image/jpeg' }));
            dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }));
        }""",
        list(picture),
    )
    expect(page.locator(".chip.image img")).to_have_attribute("src", re.compile("^data:image/jpeg"))
    page.wait_for_selector(LAST + ".card .match meter")
    expect(page.locator("#count")).to_have_text("60 products, best first")


def test_a_file_that_is_no_picture_is_told(page: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")
    page.set_input_files("#file", tmp_path / "notes.png")
    expect(page.locator("#notice")).to_have_text("notes.png cannot be read as a picture. Try a JPEG, PNG or WebP.")


def test_more_like_this_and_not_this(page: Page) -> None:
    first = titles(page)[0]
    page.locator(".card").nth(0).get_by_text("More like this").click()
    page.wait_for_selector(".chip.like")
    picture = page.locator(".chip.like img").get_attribute("src") or ""
    assert "view" not in picture  # the first that there is, whatever its number
    assert page.request.get(page.url.partition("?")[0].rstrip("/") + picture).ok
    expect(page.locator("#count")).to_have_text("59 products, best first")
    assert first not in titles(page)
    page.locator(".card").nth(0).get_by_text("Not this").click()
    page.wait_for_selector(".chip.unlike")
    expect(page.locator("#count")).to_have_text("58 products, best first")
    page.click(".chip.like button")
    page.click(".chip.unlike button")
    expect(page.locator("#count")).to_have_text("60 products")


def test_words_with_a_minus_must_not_match(page: Page) -> None:
    with page.expect_request(lambda request: '"not":["blue"]' in (request.post_data or "")):
        page.locator("#text").press_sequentially("dress -blue ")
    expect(page.locator(".chip.without")).to_contain_text("blue")
    expect(page.locator("#text")).to_have_value("dress ")


def test_reasons_light_the_picture_and_strike_words_through(page: Page) -> None:
    search(page, "red dress with long sleeves")
    card = page.locator(".card").first
    card.locator(".picture").hover()
    words = card.locator(".why button")
    expect(words).to_have_count(5)
    words.first.hover()
    expect(card.locator(".patches i")).to_have_count(9)
    box, grid = card.locator(".picture").bounding_box(), card.locator(".patches").bounding_box()
    assert box is not None
    assert grid is not None
    assert grid["width"] <= box["width"] + 1
    assert grid["height"] <= box["height"] + 1
    page.locator("#count").hover()
    expect(card.locator(".patches")).to_have_count(0)
    struck = page.evaluate(
        "async () => (await (await fetch('/v1/explain', { method: 'POST', headers: {"
        "'Content-Type': 'application/json' }, body: JSON.stringify({ text: 'red dress with long sleeves',"
        "product_id: document.querySelector('.card img').src.match(/thumbnails\\/([^?]+)/)[1],"
        "view: Number(document.querySelector('.card img').src.split('=')[1]) }) })).json())"
        ".words.filter(word => !word.matched).map(word => word.text)"
    )
    assert card.locator(".why s").all_inner_texts() == struck


def test_all_by_the_keyboard(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.locator("#text")).to_be_focused()
    page.locator(".picture").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".picture").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#details")).to_be_visible()
    expect(page.locator("#details-title")).to_have_text(titles(page)[1])
    page.keyboard.press("Escape")
    expect(page.locator("#details")).to_be_hidden()
    expect(page.locator(".picture").nth(1)).to_be_focused()


def test_other_pictures_of_a_product(page: Page, address: str) -> None:
    ids = [
        source.split("/")[-1].split("?")[0]
        for source in page.locator(".card img").evaluate_all("all => all.map(each => each.src)")
    ]
    counts = [len(page.request.get(f"{address}/v1/products/{product_id}").json()["views"]) for product_id in ids]
    page.locator(".picture").nth(counts.index(2)).click()
    views = page.locator("#details .views button")
    expect(views.nth(1)).to_be_visible()
    views.nth(1).click()
    expect(views.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#details .sheet > div > .picture img")).to_have_attribute("src", re.compile(r"view=1$"))


def test_a_fault_is_told_and_can_be_tried_again(page: Page) -> None:
    answer = {"error": {"code": "fault", "message": "The index has gone.", "details": []}}
    page.route("**/v1/search", lambda route: route.fulfill(status=500, json=answer))
    page.fill("#text", "red")
    expect(page.locator("#notice")).to_contain_text("The index has gone.")
    assert page.locator(".card").count() == 0
    page.unroute("**/v1/search")
    page.get_by_text("Try again").click()
    page.wait_for_selector(LAST + ".card .match meter")
    expect(page.locator("#notice")).to_be_hidden()


def test_what_the_first_wave_showed_stays_when_the_second_fails(page: Page) -> None:
    answer = {"error": {"code": "fault", "message": "The model has gone.", "details": []}}
    page.route(
        "**/v1/search",
        lambda route: route.fulfill(status=500, json=answer) if asked(route)["rerank"] else route.continue_(),
    )
    page.fill("#text", "red dress")
    expect(page.locator("#notice")).to_contain_text("The model has gone.")
    expect(page.locator("#notice")).to_have_attribute("role", "status")
    assert page.locator(".card").count() > 0


def test_names_that_every_object_has_are_only_names(page: Page, address: str) -> None:
    for link in ("/?f.__proto__=x&from.__proto__=1", "/?f.constructor=x&to.toString=3"):
        page.goto(address + link)
        expect(page.locator("#notice")).to_contain_text("which products here do not have any more")
    assert page.evaluate("({}).from") is None


def test_likely_is_said_of_what_was_calibrated(page: Page) -> None:
    def calibrated(route: Route) -> None:
        answer = route.fetch().json()
        for hit in answer["hits"]:
            hit["confidence"] = None if hit["probability"] is None else 0.8
        route.fulfill(json=answer)

    page.route("**/v1/search", calibrated)
    search(page, "red dress")
    expect(page.locator(".card .match").first).to_have_text("80 % · likely match")
    page.locator(".card .picture").first.click()
    expect(page.locator("#details dt").first).to_have_text("Match")
    expect(page.locator("#details dd").first).to_have_text("80 % · likely")


def test_a_busy_service_is_asked_again_when_it_says(page: Page) -> None:
    refused: list[int] = []

    def refuse_once(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(1)
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"error": {"code": "busy", "message": "busy"}})

    page.route("**/v1/search", refuse_once)
    page.fill("#text", "red")
    expect(page.locator("#notice")).to_contain_text("Trying again in 1 s")
    page.wait_for_selector(LAST + ".card .match meter")


def test_offline_and_back(page: Page) -> None:
    page.context.set_offline(True)
    expect(page.locator("#notice")).to_contain_text("You are offline")
    page.context.set_offline(False)
    page.wait_for_selector(LAST + ".card img")
    expect(page.locator("#notice")).to_be_hidden()


def test_a_slow_answer_shows_that_something_is_coming(page: Page) -> None:
    held: list[Route] = []

    def hold_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/v1/search", hold_first)
    page.fill("#text", "red")
    page.wait_for_selector(".card.skeleton")
    expect(page.locator("#count")).to_have_text("Searching…")
    held[0].continue_()
    page.wait_for_selector(LAST + ".card .match meter")


def test_an_outdated_answer_is_dropped(page: Page) -> None:
    held: list[Route] = []
    page.route("**/v1/search", lambda route: held.append(route) if asked(route)["text"] == "red" else route.continue_())
    with page.expect_request("**/v1/search"):
        page.fill("#text", "red")
    search(page, "blue shirt")
    found = titles(page)
    for route in held:
        route.fulfill(json={"hits": [], "matches": 0, "reranked": 0, "nothing_matches": False})
    page.wait_for_load_state("networkidle")
    assert titles(page) == found


def test_nothing_matches_and_nothing_left_are_said(page: Page) -> None:
    def no_match(route: Route) -> None:
        answer = route.fetch().json()
        route.fulfill(json={**answer, "nothing_matches": True})

    page.route("**/v1/search", no_match)
    search(page, "a spaceship")
    expect(page.locator("#notice")).to_have_text("Nothing here matches well. These come nearest.")
    page.unroute("**/v1/search")
    held: list[Route] = []
    page.route("**/v1/search", lambda route: held.append(route))
    page.fill("#text", "another question")
    page.wait_for_selector(".card.skeleton")
    expect(page.locator("#notice")).to_be_hidden()
    page.unroute("**/v1/search")
    page.route("**/v1/search", lambda route: route.fulfill(json={"hits": [], "matches": 0, "reranked": 0}))
    page.fill("#text", "b")
    expect(page.locator("#notice")).to_have_text("There are no products to show.")
    page.locator("#filters label").first.click()
    kind = page.locator("#filters label span").first.inner_text()
    expect(page.locator("#notice")).to_contain_text(re.compile(f"^Nothing is left under these filters: .* {kind}\\."))
    page.unroute("**/v1/search")
    page.get_by_text("Remove the filters").click()
    page.wait_for_selector(LAST + ".card .match meter")
    assert "f." not in page.url


def test_words_of_products_are_never_markup(page: Page) -> None:
    nasty = '<img src=x onerror="document.title=1"><b>bold</b>'

    def spoil(route: Route) -> None:
        answer = route.fetch().json()
        for hit in answer["hits"]:
            hit["text"], hit["attributes"] = nasty, {"colour": "<i>red</i>"}
        route.fulfill(json=answer)

    page.route("**/v1/search", spoil)
    page.fill("#text", "red")
    expect(page.locator(".card .title").first).to_have_text(nasty)
    expect(page.locator(".card .facts").first).to_contain_text("<i>red</i>")
    assert page.title() != "1"


@pytest.mark.parametrize(
    "window",
    [
        {"viewport": {"width": 1280, "height": 900}},
        {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
        {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    ],
    ids=["light", "dark", "phone"],
)
def test_everybody_can_use_it(browser: Browser, address: str, window: dict[str, Any]) -> None:
    page = browser.new_page(**window, reduced_motion="reduce")
    page.goto(address)
    page.wait_for_selector(LAST + ".card img")
    search(page, "red dress -blue ")
    page.locator(".card").first.get_by_text("More like this").click()
    page.wait_for_selector(".chip.like")
    page.wait_for_selector(LAST + ".card .match meter")
    if window.get("is_mobile"):
        page.click("#open-filters")
        expect(page.locator("#filters fieldset").first).to_be_visible()
    faults = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["html"] for node in fault["nodes"]][:3]) for fault in faults] == []
    page.locator(".picture").first.click()
    faults = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["html"] for node in fault["nodes"]][:3]) for fault in faults] == []
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    page.close()
