"""The playground in a browser: a history from several catalogues, chips, thumbs, map, links, examples."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, Locator, Page, Route, expect

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(900)]

MINUTE = 60_000
expect.set_options(timeout=20_000)  # the machine may be busy with other things
SMALL = "smollm2-135m-instruct"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
RTL = "\u202eمرحبا\u202c 👩‍🚀 bazaar"


@pytest.fixture(scope="module")
def ready(app, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The app once all is indexed and loaded, with a catalogue that would be code on a careless page."""
    client = Client(app.url, verbose=False)
    deadline = time.monotonic() + 600
    while not (
        all(c["embedder"] for c in client.predict(api_name="/catalogs"))
        and client.predict(api_name="/models")[0]["ready"]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    rows = [
        {"id": HOSTILE, "title": f"Hostile {HOSTILE}", "text": f"A tale of bazaar markets. {HOSTILE}"},
        {"id": "rtl", "title": RTL, "text": f"{RTL} and a bazaar at night."},
        {"id": "long", "title": "Long bazaar", "text": "bazaar " * 7000},
        {"id": "plain", "title": "Plain bazaar", "text": "Markets, spices and a quiet tea house."},
    ]
    file = tmp_path_factory.mktemp("hostile") / "bazaar.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    client.predict("bazaar", "shops", handle_file(str(file)), api_name="/add_catalog")
    return app.url


@pytest.fixture
def page(browser: Browser, ready: str) -> Iterator[Page]:
    """A visitor with an English browser; a script error or a dialog fails the test."""
    yield from opened(browser, ready, "en-US", 1440)


@pytest.fixture
def phone(browser: Browser, ready: str) -> Iterator[Page]:
    """A visitor with a Korean phone."""
    yield from opened(browser, ready, "ko-KR", 390)


def opened(browser: Browser, url: str, locale: str, width: int) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": 844}, locale=locale)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: (errors.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.goto(url)
    expect(page.locator(".zp-entry").first).to_be_visible(timeout=MINUTE)
    yield page
    context.close()
    assert not errors


def recommend(page: Page) -> Locator:
    """Press the button and wait for the first column to be done."""
    page.click("#recommend")
    expect(page.locator("#slot-0 .is-done")).to_have_count(0, timeout=MINUTE)
    expect(page.locator("#slot-0 .is-done")).to_be_visible(timeout=2 * MINUTE)
    return page.locator("#slot-0")


def choose(page: Page, field: str, name: str) -> None:
    page.locator(f"#{field} input").click()
    page.get_by_role("option", name=name, exact=True).click()


def titles(page: Page) -> list[str]:
    return page.locator(".zp-entry bdi").all_inner_texts()


def test_nothing_is_asked_before_the_form_is_filled(browser: Browser, app) -> None:
    """On a slow connection the button is there before what it asks about is."""
    page = browser.new_page()
    asked: list[Route] = []
    page.route("**/queue/join*", lambda route: asked.append(route))
    page.goto(app.url)
    button = page.locator("#recommend")
    expect(button).to_be_visible(timeout=MINUTE)
    expect(button).to_be_disabled()
    page.wait_for_timeout(1000)
    assert asked
    expect(button).to_be_disabled()
    page.route("**/queue/join*", lambda route: route.continue_())  # those that come from now on
    for route in asked:
        route.continue_()
    expect(button).to_be_enabled(timeout=MINUTE)
    expect(page.locator(".zp-entry").first).to_be_visible()
    page.close()


def test_a_history_is_made_by_keyboard_from_several_catalogues(page: Page) -> None:
    page.get_by_role("button", name="Remove all").click()
    expect(page.locator(".zp-entry")).to_have_count(0)
    field = page.get_by_role("combobox", name="History")
    field.focus()
    page.keyboard.type("blade")
    options = page.locator(".zp-options [role=option]")
    expect(options.first).to_contain_text("Blade Runner")
    assert {"Films", "Music"} <= set(page.locator(".zp-options .zs-domain").all_inner_texts())
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "history-option-1")
    page.keyboard.press("Enter")
    page.keyboard.type("보이")  # a title in the other language
    page.wait_for_timeout(300)
    page.keyboard.press("Escape")
    expect(page.locator(".zp-options")).to_be_hidden()
    field.fill("")
    page.keyboard.type("Outer Wil")
    expect(options.first).to_contain_text("Outer Wilds")
    page.keyboard.press("Enter")
    page.keyboard.type("A film that nobody made")
    expect(options.first).to_contain_text("as it is typed")
    page.keyboard.press("Enter")
    expect(page.locator(".zp-entry")).to_have_count(3)
    assert titles(page)[1:] == ["Outer Wilds", "A film that nobody made"]
    expect(page.locator(".zp-entry.is-typed small")).to_have_text("not in a catalogue")
    page.get_by_role("button", name="Remove Outer Wilds").click()
    page.keyboard.press("Tab")
    expect(page.locator(".zp-entry")).to_have_count(2)
    field.focus()
    page.keyboard.press("Backspace")
    expect(page.locator(".zp-entry")).to_have_count(1)


def test_pasted_lines_become_items_and_titles(page: Page) -> None:
    page.get_by_role("button", name="Remove all").click()
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData('text', text);
            document.querySelector('#history-field').dispatchEvent(
                new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        f"the witcher 3: wild hunt\n\n  기생충 \r\nNothing Known\n{HOSTILE}",
    )
    expect(page.locator(".zp-entry")).to_have_count(4)
    expect(page.locator(".zp-entry bdi")).to_have_text(
        ["The Witcher 3: Wild Hunt", "Parasite", "Nothing Known", HOSTILE]
    )
    assert page.locator(".zp-picker img").count() == 0


def test_cards_say_why_and_lead_on(page: Page, app) -> None:
    column = recommend(page)
    cards = column.locator(".zs-card")
    expect(cards).to_have_count(8)
    expect(cards.first.locator(".zs-domain")).to_have_text("Films")
    expect(cards.first.locator(".zp-score")).to_contain_text("centred cosine")
    expect(cards.first.locator(".zp-why li").first).to_be_visible()
    assert column.locator("mark").count() > 0
    expect(column.locator(".zs-timings")).to_contain_text("ms")
    column.locator("summary").click()
    expect(column.locator(".zp-prompt pre")).to_contain_text("Red Dead Redemption 2")

    before = len(titles(page))
    title = cards.nth(1).locator("h3 bdi").first.inner_text()
    cards.nth(1).get_by_role("button", name="Add to history").click()
    expect(page.locator(".zp-entry")).to_have_count(before + 1)
    assert titles(page)[-1] == title

    cards.nth(0).get_by_role("button", name="More like this").click()
    more = page.locator(".zp-more")
    expect(more.locator(".zs-card")).to_have_count(8, timeout=MINUTE)
    first = cards.nth(0).locator("h3 bdi").first.inner_text()
    assert first not in more.locator(".zs-card h3 bdi").all_inner_texts()
    more.get_by_role("button", name="Close").click()
    expect(more).to_have_count(0)

    up = cards.nth(0).get_by_role("button", name="This item: Good")
    down = cards.nth(2).get_by_role("button", name="This item: Not good")
    up.click()
    down.click()
    expect(up).to_have_attribute("aria-pressed", "true", timeout=MINUTE)
    expect(down).to_have_attribute("aria-pressed", "true", timeout=MINUTE)
    column.get_by_role("button", name="The answer: Good").click()
    up.click()  # taken back
    expect(up).to_have_attribute("aria-pressed", "false", timeout=MINUTE)
    with sqlite3.connect(app.home / "feedback.db") as db:
        rows = db.execute("SELECT rank, value FROM ratings ORDER BY id DESC LIMIT 4").fetchall()
    assert sorted(rows) == sorted([(1, 1), (3, -1), (0, 1), (1, 0)])


def test_stopped_and_asked_again(page: Page) -> None:
    page.locator("#query textarea").fill("a long and slow story about the sea")
    page.click("#recommend")
    expect(page.locator("#slot-0 .zs-caret")).to_be_visible(timeout=MINUTE)
    page.click("#stop")
    expect(page.locator("#slot-0 .is-done")).to_be_visible(timeout=MINUTE)
    expect(page.locator(".zs-caret")).to_have_count(0)
    column = recommend(page)
    expect(column.locator(".zs-card")).to_have_count(8)
    expect(column).not_to_contain_text("Stopped here")


def test_the_model_is_shown_items_or_writes_from_memory(page: Page) -> None:
    column = recommend(page)
    column.locator("summary").click()
    expect(column.locator(".zp-prompt pre")).to_contain_text("Candidates:\n1. ")
    page.locator("#playground-settings button").first.click()
    page.locator("#memory").get_by_text("nothing (from memory)").click()
    column = recommend(page)
    column.locator("summary").click()
    expect(column.locator(".zp-prompt pre")).to_contain_text("Red Dead Redemption 2")
    expect(column.locator(".zp-prompt pre")).not_to_contain_text("Candidates:")


def test_models_side_by_side_and_retrieval_alone(page: Page) -> None:
    page.locator("#playground-settings button").first.click()
    for name in ("retrieval alone", "gemma-3-270m"):
        choose(page, "beside", name)
    page.keyboard.press("Escape")
    recommend(page)
    expect(page.locator("#slot-1 .is-done .zs-card")).to_have_count(8, timeout=MINUTE)
    expect(page.locator("#slot-1")).to_contain_text("No model wrote anything here")
    expect(page.locator("#slot-2 .is-done .zs-card")).to_have_count(8, timeout=3 * MINUTE)
    assert page.locator("#slots h3").first.inner_text() == SMALL
    assert page.locator("#slot-1 .zp-prompt").count() == 0


def test_the_map_and_the_retrieval_tester(page: Page) -> None:
    recommend(page)
    page.get_by_role("tab", name="Map").click()
    drawn = page.locator(".zp-frame")
    expect(drawn).to_be_visible(timeout=MINUTE)
    expect(drawn.locator(".is-result")).to_have_count(8)
    expect(drawn.locator(".is-history")).to_have_count(6)
    expect(drawn.locator(".is-answer")).to_have_count(1)
    drawn.locator(".is-result").first.focus()
    expect(page.locator(".zp-tip")).to_contain_text("recommended")
    page.get_by_role("tab", name="Retrieval tester").click()
    page.locator("#search-text textarea").fill("a bounty hunter looks for gold")
    page.click("#search-go")
    passages = page.locator("#passages .zs-card")
    expect(passages).to_have_count(8, timeout=MINUTE)
    expect(page.locator("#passages .zp-thumbs")).to_have_count(0)
    assert page.locator("#passages mark.is-query").count() > 0


def test_a_link_restores_the_inputs(page: Page, browser: Browser, ready: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=ready)
    page.get_by_role("button", name="Remove Journey").click()
    page.locator("#query textarea").fill("느린 것 & <b>bold</b>")
    choose(page, "catalog", "Korean news")
    page.click("#copy-link")
    expect(page.locator(".zp-toast")).to_contain_text("clipboard", timeout=MINUTE)
    link = page.evaluate("navigator.clipboard.readText()")
    other = browser.new_context(locale="en-US").new_page()
    other.goto(link)
    expect(other.locator("#query textarea")).to_have_value("느린 것 & <b>bold</b>", timeout=MINUTE)
    expect(other.locator("#catalog input")).to_have_value("Korean news")
    expect(other.locator(".zp-entry bdi")).to_have_text(titles(page))
    assert "Journey" not in titles(other)
    other.context.close()


def test_examples_and_recent_requests(page: Page) -> None:
    page.get_by_role("button", name="What does a virtual farmer read?").click()
    expect(page.locator("#slot-0 .is-done .zs-domain").first).to_have_text("News", timeout=2 * MINUTE)
    expect(page.locator(".zp-entry bdi")).to_have_text(["Stardew Valley", "Animal Crossing: New Horizons"])
    page.locator("#query textarea").fill("tomatoes")
    recommend(page)
    page.reload()
    expect(page.locator(".zp-recent summary")).to_be_visible(timeout=MINUTE)
    page.locator(".zp-recent summary").click()
    page.locator(".zp-recent li button").first.click()
    expect(page.locator("#query textarea")).to_have_value("tomatoes", timeout=MINUTE)
    expect(page.locator(".zp-entry bdi")).to_have_text(["Stardew Valley", "Animal Crossing: New Horizons"])
    page.get_by_role("button", name="Forget them").click()
    expect(page.locator(".zp-recent li")).to_have_count(0)


def test_what_a_catalogue_says_is_only_text(page: Page) -> None:
    page.get_by_role("button", name="Remove all").click()
    field = page.get_by_role("combobox", name="History")
    field.press_sequentially("hostile")
    expect(page.locator(".zp-options [role=option]").first).to_contain_text(HOSTILE)
    page.keyboard.press("Enter")
    expect(page.locator(".zp-entry small")).to_have_text("shops")
    field.press_sequentially("bazaar")
    expect(page.locator(".zp-options [role=option]")).to_have_count(5)
    page.keyboard.press("Escape")
    page.locator("#query textarea").fill(f"bazaar {HOSTILE}")
    choose(page, "catalog", "bazaar")
    column = recommend(page)
    expect(column.locator(".zs-card")).to_have_count(3)
    column.locator("summary").click()
    page.get_by_role("tab", name="Map").click()
    expect(page.locator(".zp-frame .is-history")).to_have_count(1, timeout=MINUTE)
    page.locator(".zp-frame .is-history").focus()
    expect(page.locator(".zp-tip")).to_contain_text("<img src=x")
    page.get_by_role("tab", name="Retrieval tester").click()
    page.locator("#search-text textarea").fill("bazaar")
    page.click("#search-go")
    expect(page.locator("#passages .zs-card").first).to_be_visible(timeout=MINUTE)
    assert page.locator("#playground-row img, #playground-row script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


def test_all_of_it_in_korean_on_a_phone(phone: Page) -> None:
    page = phone
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="모두 지우기").click()
    field = page.get_by_role("combobox", name="이력")
    field.fill("기새")  # a syllable that is still being typed
    expect(page.locator(".zp-options [role=option]").first).to_contain_text("기생충")
    page.locator(".zp-options [role=option]").first.click()
    expect(page.locator(".zp-entry bdi")).to_have_text(["기생충"])
    column = recommend(page)
    expect(column).to_contain_text("중심 코사인")
    for button in column.locator(".zs-card").first.locator("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("tab", name="지도").click()
    expect(page.locator(".zp-legend")).to_contain_text("이력", timeout=MINUTE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_empty_request_and_a_very_long_one_are_explained(page: Page) -> None:
    page.get_by_role("button", name="Remove all").click()
    page.click("#recommend")
    expect(page.get_by_text("There is nothing to go on")).to_be_visible(timeout=MINUTE)
    expect(page.locator(".zp-slot.is-waiting")).to_have_count(0)
    page.locator("#query textarea").fill("x" * 100_000)
    page.click("#recommend")
    expect(page.get_by_text("100,000 characters")).to_be_visible(timeout=MINUTE)


def test_ratings_are_exported(ready: str, app, tmp_path: Path) -> None:
    client = Client(ready, verbose=False)
    found = client.predict("films", ["Journey"], "", "none", 3, api_name="/recommend")
    first, *_, last = [item["id"] for item in found["items"]]
    for item, value in ((first, 1), (last, -1)):
        assert client.predict(found["recommendation"], item, value, api_name="/rate")["rating_id"] > 0
    rows = client.predict(api_name="/rated_pairs")
    assert any(row["recommendations"] == [found["recommendation"]] for row in rows)
