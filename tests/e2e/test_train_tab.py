"""The Train tab in a browser: foresee, start, reload, stop and save, go on, compare, look at answers."""

from __future__ import annotations

import re

import pytest
from gradio_client import Client
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(900)]

MINUTE = 60_000
TRAIN_TAB = 3


@pytest.fixture(scope="module")
def judged(app) -> None:
    """A few judgements, so that there is something to learn from."""
    client = Client(app.url, verbose=False)
    for _ in range(5):
        task = client.predict("tab-trainer", api_name="/next_task")
        ids = [candidate["id"] for candidate in task["candidates"]]
        client.predict(task["task_id"], "tab-trainer", ids[0], ids[4], api_name="/judge")


def start(page: Page, name: str, steps: int) -> None:
    page.locator("#dpo-max-steps input").fill(str(steps))
    page.locator("#dpo-batch-size input").fill("1")
    page.locator("#adapter-name textarea, #adapter-name input").first.fill(name)
    page.click("#start-training")


def test_a_run_from_preflight_to_comparison(korean_page: Page, app, judged: None) -> None:
    page = korean_page
    page.goto(app.url)
    page.get_by_role("tab").nth(TRAIN_TAB).click()
    expect(page.locator("#pair-count")).to_contain_text("선호 쌍", timeout=MINUTE)
    expect(page.locator("#stop-training")).to_be_hidden()  # there is no run to stop
    expect(page.locator("#suggested")).to_contain_text("기본값이 잘 맞습니다", timeout=MINUTE)

    page.get_by_text("더 많은 설정").first.click()
    expect(page.locator("#dpo-save-steps input")).to_have_value("50")
    page.wait_for_timeout(1000)  # a field of a fold just opened takes its value from the server once more
    page.locator("#dpo-save-steps input").fill("1")
    page.locator("#dpo-epochs input").fill("100")  # the steps are what limits the run
    page.locator("#dpo-max-steps input").fill("100")
    page.click("#check-training")
    expect(page.locator("#preflight .zs-run")).to_have_attribute("data-fits", "true", timeout=2 * MINUTE)
    expect(page.locator("#preflight")).to_contain_text("100단계")
    page.get_by_text("다른 컴퓨터에서 같은 학습 실행하기").click()
    page.click("#show-command")
    expect(page.locator("#command")).to_contain_text("--save-steps 1", timeout=15_000)

    start(page, "tab-first", steps=100)
    run = page.locator(".zs-run[data-step]")
    expect(run).to_contain_text("tab-first", timeout=MINUTE)  # not an earlier run of this app
    expect(run).to_have_attribute("data-step", re.compile(r"^[1-9]"), timeout=6 * MINUTE)
    page.reload()
    page.get_by_role("tab").nth(TRAIN_TAB).click()
    expect(page.locator("#curves canvas, #curves svg").first).to_be_visible(timeout=MINUTE)
    expect(page.locator("#samples .zs-bout").first).to_be_visible(timeout=MINUTE)
    page.click("#stop-training")
    expect(run).to_have_attribute("data-state", "stopped", timeout=4 * MINUTE)
    expect(run).to_contain_text("tab-first")
    expect(page.locator("#use-adapter")).to_be_visible(timeout=15_000)
    stopped_at = int(run.get_attribute("data-step") or 0)
    assert 1 <= stopped_at < 100

    page.click("#resume-training")
    expect(run).to_have_attribute("data-state", re.compile("queued|preparing|training"), timeout=MINUTE)
    further = re.compile("^(" + "|".join(str(step) for step in range(stopped_at + 1, 101)) + ")$")
    expect(run).to_have_attribute("data-step", further, timeout=6 * MINUTE)

    start(page, "tab-second", steps=2)  # waits for the first
    expect(run).to_contain_text("tab-second", timeout=MINUTE)
    expect(run).to_have_attribute("data-state", "queued", timeout=15_000)
    page.locator("#run input").click()
    page.get_by_role("option", name=re.compile("tab-first")).click()
    page.click("#cancel-training")
    expect(run).to_have_attribute("data-state", "stopped", timeout=4 * MINUTE)
    page.locator("#run input").click()
    page.get_by_role("option", name=re.compile("tab-second")).click()
    expect(run).to_have_attribute("data-state", "finished", timeout=8 * MINUTE)

    page.locator("#compare input").click()
    page.get_by_role("option", name=re.compile("tab-first")).click()
    page.keyboard.press("Escape")
    expect(page.locator("#legend")).to_contain_text("tab-first", timeout=15_000)
    expect(page.locator("#differences")).to_contain_text("최대 단계")
    page.get_by_role("tab", name="모든 학습").click()
    expect(page.locator("#runs-table tbody tr").first).to_be_visible()

    page.get_by_role("tab", name="전과 후").click()
    page.click("#answer-fixed")
    expect(page.locator("#answers .zs-bout")).to_have_count(3, timeout=3 * MINUTE)

    page.get_by_role("tab", name="블라인드 비교").click()
    for model in ("smollm2-135m-instruct", "smollm2-135m-instruct+tab-second"):
        page.locator("#blind-models input").click()
        page.get_by_role("option", name=model, exact=True).click()
    page.keyboard.press("Escape")
    page.click("#blind-next")
    expect(page.locator("#bout .zb-candidate")).to_have_count(2, timeout=2 * MINUTE)
    assert "tab-second" not in page.locator("#bout").inner_text()
    page.click("#blind-tie")
    expect(page.locator("#bout")).to_contain_text("tab-second", timeout=15_000)
    expect(page.locator("#rates")).to_contain_text("1무")
