"""The entire loop in a browser: annotate by keyboard, train, reload, use the adapter, get items."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(900)]

PROMPTS = 8
MINUTE = 60_000


def test_from_the_first_visit_to_the_tuned_models_items(korean_page: Page, app) -> None:
    page = korean_page
    page.goto(app.url)
    tabs = page.get_by_role("tab")
    expect(tabs.nth(2)).to_have_text("답변 평가")  # the interface follows the browser

    tabs.nth(2).click()
    for number in range(PROMPTS):
        annotate_by_keyboard(page, best=1 + number % 5, worst=1 + (number + 2) % 5)
        expect(page.locator(".zb-progress")).to_contain_text(f"중 {number + 1}개")
    page.keyboard.press("KeyU")
    expect(page.locator(".zb-progress")).to_contain_text(f"중 {PROMPTS - 1}개")
    expect(page.locator(".is-best")).to_have_count(1)  # what had been chosen is shown again
    page.keyboard.press("Enter")
    expect(page.locator(".zb-progress")).to_contain_text(f"중 {PROMPTS}개")

    tabs.nth(3).click()
    expect(page.locator("#pair-count")).to_contain_text("선호 쌍", timeout=15_000)
    page.locator("#dpo-max-steps input").fill("3")
    page.locator("#dpo-batch-size input").fill("2")
    page.locator("#adapter-name textarea, #adapter-name input").first.fill("e2e-dpo")
    page.click("#start-training")
    run = page.locator(".zs-run[data-step]")
    expect(run).to_be_visible(timeout=MINUTE)
    expect(run).to_have_attribute("data-step", "1", timeout=6 * MINUTE)
    page.reload()
    tabs.nth(3).click()
    expect(run).to_be_visible(timeout=MINUTE)
    expect(page.locator("#curves canvas, #curves svg").first).to_be_visible(timeout=MINUTE)
    expect(run).to_have_attribute("data-state", "finished", timeout=8 * MINUTE)
    expect(run).to_have_attribute("data-step", "3")
    expect(run).to_contain_text("e2e-dpo")

    page.click("#use-adapter")
    expect(page.locator("#model input")).to_have_value("smollm2-135m-instruct+e2e-dpo", timeout=15_000)
    expect(page.locator("#playground-status .zs-busy")).to_have_count(0, timeout=5 * MINUTE)
    page.click("#recommend")  # games in, films out: the history and catalogue that are set at first
    expect(page.locator(".zs-card").first).to_be_visible(timeout=2 * MINUTE)
    expect(page.locator(".zs-card")).to_have_count(8)
    expect(page.locator(".zs-card .zs-domain").first).to_have_text("영화")
    assert len(page.locator(".zs-passage").first.inner_text()) > 40
    expect(page.locator(".zs-timings")).to_contain_text("ms")

    page.get_by_role("button", name="모두 지우기").click()
    page.click("#recommend")
    expect(page.get_by_text("비어 있어")).to_be_visible(timeout=15_000)


def annotate_by_keyboard(page: Page, best: int, worst: int) -> None:
    expect(page.locator(".zb-candidate")).to_have_count(5, timeout=3 * MINUTE)
    first = page.locator(".zb-candidate").first.get_attribute("data-id")
    page.keyboard.press(f"Digit{best}")
    page.keyboard.press(f"Shift+Digit{worst}")
    expect(page.locator(".is-best .zb-number")).to_have_text(str(best))
    expect(page.locator(".is-worst .zb-number")).to_have_text(str(worst))
    page.keyboard.press("Enter")
    page.wait_for_function(
        "before => document.querySelector('.zb-candidate')?.dataset.id !== before", arg=first, timeout=MINUTE
    )


def test_keys_do_nothing_while_typing(korean_page: Page, app) -> None:
    page = korean_page
    page.goto(app.url)
    page.get_by_role("tab").nth(2).click()
    expect(page.locator(".zb-candidate")).to_have_count(5, timeout=3 * MINUTE)
    name = page.locator("#annotator textarea, #annotator input").first
    name.focus()
    page.keyboard.press("Digit1")
    expect(page.locator(".is-best")).to_have_count(0)
    name.fill("guest")
    page.get_by_role("tab").nth(2).focus()
    page.keyboard.press("Digit1")
    expect(page.locator(".is-best")).to_have_count(1)
