"""The data tab in a browser: upload, inspect, preview, move the threshold, write, hand prompts on."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(600)]

MINUTE = 60_000
HOSTILE = "<img src=x onerror=alert()>"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A MovieLens csv edition, whose titles would be code on a careless page."""
    folder = tmp_path_factory.mktemp("films")
    draw = random.Random(3)
    titles = [f"Film {n:02d} {HOSTILE}" for n in range(40)]
    movies = [f'{n},"{title} (19{50 + n})",Drama|Crime' for n, title in enumerate(titles)]
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "\n".join(movies), encoding="utf-8")
    rows = [f"{u},{f},5.0,{u * 100 + f}" for u in range(80) for f in [0, *draw.sample(range(1, 40), 11)]]
    (folder / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n" + "\n".join(rows), encoding="utf-8"
    )
    return [str(folder / "movies.csv"), str(folder / "ratings.csv")]


def test_from_uploaded_files_to_prompts_for_annotators(korean_page: Page, app, files: list[str]) -> None:
    page = korean_page
    page.goto(app.url)
    page.get_by_role("tab").nth(1).click()
    expect(page.locator("#job-status .zs-empty")).to_be_visible(timeout=MINUTE)
    expect(page.locator("#sources .zs-empty")).to_contain_text("ZEROSHELF_SOURCES")

    page.click("#inspect")
    expect(page.get_by_text("먼저 원본을 하나 이상 고르세요")).to_be_visible(timeout=15_000)

    page.get_by_text("데이터셋 올리기").click()
    page.locator("#source-files input[type=file]").set_input_files(files)
    expect(page.locator("#source-files")).to_contain_text("ratings", timeout=15_000)
    page.locator("#source-name textarea, #source-name input").first.fill("my films")
    page.click("#add-source")
    source = page.locator('[data-source="my films"]')
    expect(source.locator("input[type=checkbox]")).to_be_checked(timeout=15_000)
    expect(source.locator("select")).to_have_value("movielens")
    assert (app.home / "sources" / "my films" / "ratings.csv").exists()

    page.click("#inspect")
    expect(page.locator("#inspected .zs-run")).to_contain_text("960 상호작용", timeout=MINUTE)

    page.click("#preview-job")
    status = page.locator("#job-status .zs-run")
    expect(status).to_have_attribute("data-state", "done", timeout=2 * MINUTE)
    rows = page.locator("#rows .zs-row")
    expect(rows.first).to_be_visible(timeout=MINUTE)
    assert "onerror" in page.locator("#rows").inner_text()  # shown as it is written, not run
    assert page.locator("#rows img").count() == 0

    page.get_by_role("tab", name="품질 점수").click()
    total = page.locator(".zh-total")
    expect(total).to_contain_text("개 제외")
    before = kept(total)
    expect(page.locator("#sides")).to_contain_text("15.00")
    slider = page.locator(".zh-range")
    slider.focus()
    slider.fill("4")
    assert kept(total) < before  # counted again in the page
    expect(page.locator("#sides")).to_contain_text("4.00", timeout=15_000)
    expect(page.locator("#sides .zs-out").first).to_be_visible()

    page.get_by_text("세부 설정").click()
    page.locator("#examples input").fill("40")
    page.locator("#preference input").fill("6")
    page.locator("#test-rows input").fill("4")
    page.click("#run-job")
    expect(status).to_have_attribute("data-state", "running", timeout=MINUTE)
    page.reload()
    page.get_by_role("tab").nth(1).click()
    expect(status).to_have_attribute("data-state", "done", timeout=2 * MINUTE)
    page.get_by_role("tab", name="혼합").click()
    expect(page.locator("#obtained")).to_contain_text("영화 (movielens)")

    page.get_by_role("tab", name="파일").click()
    expect(page.locator("#job-files")).to_contain_text("train", timeout=15_000)
    page.click("#give-prompts")
    expect(page.get_by_text(re.compile("새 문제 [1-6]개가"))).to_be_visible(timeout=15_000)


def kept(total: Locator) -> int:
    return int(re.sub(r"개 남음.*|,", "", total.inner_text()))


def test_every_part_fits_a_phone(browser: Browser, app) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
    page = context.new_page()
    page.goto(app.url)
    page.get_by_role("tab").nth(1).click()
    expect(page.locator("#run-job")).to_be_visible(timeout=MINUTE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_the_same_over_http(app, files: list[str]) -> None:
    folder = app.home / "sources" / "over http"
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / Path(file).name).write_bytes(Path(file).read_bytes())
    client = Client(app.url, verbose=False)
    listed = {source["name"]: source for source in client.predict(api_name="/sources")}
    assert listed["over http"] == {"name": "over http", "dataset": "movielens", "edition": "csv"}
    found = client.predict("over http", "", api_name="/inspect_source")
    assert (found["users"], found["items"], found["interactions"]) == (80, 40, 960)
    with pytest.raises(AppError, match="There is no source called"):
        client.predict("../annotations.db", "", api_name="/inspect_source")
    request = {"sources": [{"source": "over http"}], "tokenizer": "/etc/x.gguf"}
    with pytest.raises(AppError, match="There is no model called"):
        client.predict(request, api_name="/start_synthesis")

    request = {"sources": [{"source": "over http"}], "examples": 20, "preference": 2, "test": 2}
    job = client.predict(request, api_name="/start_synthesis")["job"]
    stopped = client.predict(job, api_name="/stop_synthesis")
    assert stopped["state"] in ("running", "stopped", "done")
    for _ in range(600):
        if (now := client.predict(job, api_name="/synthesis"))["state"] != "running":
            break
    if now["state"] == "stopped":
        client.predict(job, api_name="/resume_synthesis")
        for _ in range(600):
            if (now := client.predict(job, api_name="/synthesis"))["state"] != "running":
                break
    assert now["state"] == "done", now
    obtained = {o["split"]: o["obtained"] for o in now["obtained"]}
    assert obtained["train"] == 20
    assert 1 <= obtained["preference"] <= 2
    lines = (app.home / "datasets" / job / "train.jsonl").read_text(encoding="utf-8").splitlines()
    assert [m["role"] for m in json.loads(lines[0])["messages"]] == ["system", "user", "assistant"]
