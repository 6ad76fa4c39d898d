"""The catalogues' panel in a browser, and the same over HTTP."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Page, expect

from recsys.demos import DOMAINS

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(600)]

MINUTE = 60_000
HOSTILE = "<img src=x onerror=alert(1)>"
TEAS = (
    "id,title,text\n1,Sencha,A grassy green tea from Japan.\n"
    '2,Assam,"A malty black tea, strong enough for milk."\n3,,No title.\n'
    f"4,{HOSTILE},{'Tea. ' * 1_000}\n5,\u202eمرحبا 🍵,Right to left.\n"
)


@pytest.fixture(scope="module")
def teas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("files") / "teas.csv"
    file.write_text(TEAS, encoding="utf-8")
    return file


@pytest.fixture(scope="module", autouse=True)
def tidy(app) -> Iterator[None]:
    """The other modules, which share the app, find it as it was."""
    yield
    client = Client(app.url, verbose=False)
    for catalog in client.predict(api_name="/catalogs"):
        if catalog["name"] not in DOMAINS:
            client.predict(catalog["name"], api_name="/delete_catalog")
    shutil.rmtree(app.home / "sources" / "shelf", ignore_errors=True)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("files") / "large.jsonl"
    rows = ({"id": str(n), "title": f"Thing {n}", "text": "A thing. " * 20} for n in range(2000))
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return file


def test_own_catalogue_from_its_bad_rows_to_its_end(korean_page: Page, app, teas: Path, large: Path) -> None:
    page = korean_page
    page.goto(app.url)
    page.get_by_role("tab").nth(1).click()
    page.locator("#catalogs-panel > button").click()
    expect(page.locator('#catalog-list [data-catalog="films"]')).to_be_visible(timeout=MINUTE)

    page.click("#catalog-check")
    expect(page.get_by_text("먼저 파일이나 데이터셋을 고르세요")).to_be_visible(timeout=15_000)
    page.locator("#catalog-file input[type=file]").set_input_files(teas)
    expect(page.locator("#catalog-file")).to_contain_text("teas", timeout=15_000)
    page.click("#catalog-check")
    report = page.locator("#catalog-report .zs-run")
    expect(report).to_contain_text("쓸 수 있는 항목 4개, 쓸 수 없는 행 1개", timeout=15_000)
    expect(report).to_contain_text("4번째 줄 · title")

    page.click("#catalog-add")
    expect(page.get_by_text("line 4, column title")).to_be_visible(timeout=15_000)
    page.locator("#catalog-skip input").check()
    page.locator("#catalog-name input, #catalog-name textarea").first.fill("차")
    page.click("#catalog-add")
    tea = page.locator('#catalog-list [data-catalog="차"]')
    expect(tea).to_have_attribute("data-state", "ready", timeout=4 * MINUTE)
    expect(tea).to_contain_text("multilingual-e5-small")
    assert page.locator("#catalog-list img, #catalog-report img").count() == 0

    page.locator("#catalog-file input[type=file]").set_input_files(large)
    expect(page.locator("#catalog-file")).to_contain_text("large", timeout=15_000)
    page.click("#catalog-add")
    row = page.locator('#catalog-list [data-catalog="large"]')
    expect(row).to_have_attribute("data-state", "indexing", timeout=4 * MINUTE)
    expect(row).to_contain_text("2,000개 중")
    page.click("#catalog-stop")
    expect(row).to_have_attribute("data-state", "stopped", timeout=MINUTE)
    page.reload()
    page.get_by_role("tab").nth(1).click()
    page.locator("#catalogs-panel > button").click()
    expect(row).to_have_attribute("data-state", "stopped", timeout=MINUTE)
    page.click("#catalog-index")
    expect(row).to_have_attribute("data-state", "indexing", timeout=MINUTE)

    page.click("#catalog-delete")
    expect(page.locator("#catalog-question")).to_contain_text("2,000개와 함께 지울까요", timeout=15_000)
    page.click("#catalog-keep")
    expect(page.locator("#catalog-question")).to_be_hidden()
    page.click("#catalog-delete")
    page.click("#catalog-sure")
    expect(row).to_have_count(0, timeout=MINUTE)
    expect(tea).to_be_visible()


def test_panel_fits_a_phone(browser: Browser, app) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
    page = context.new_page()
    page.goto(app.url)
    page.get_by_role("tab").nth(1).click()
    page.locator("#catalogs-panel > button").click()
    expect(page.locator('#catalog-list [data-catalog="films"]')).to_be_visible(timeout=MINUTE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_the_same_over_http(app, teas: Path, large: Path) -> None:
    client = Client(app.url, verbose=False)
    checked = client.predict(handle_file(str(teas)), api_name="/check_catalog")
    assert (checked["items"], checked["bad_rows"]) == (4, 1)
    assert checked["problems"] == [
        {"line": 4, "column": "title", "problem": "it is empty", "change": "give the row one"}
    ]
    with pytest.raises(AppError, match="line 4, column title"):
        client.predict("http teas", "tea", handle_file(str(teas)), api_name="/add_catalog")
    stored = client.predict("http teas", "tea", handle_file(str(teas)), True, api_name="/store_catalog")
    assert (stored["items"], stored["bad_rows"]) == (4, 1)
    _wait(client, "http teas", "ready")
    found = client.predict("http teas", "black tea with milk", 4, api_name="/retrieve")
    assert found["items"][0]["title"] == "Assam"
    assert {item["title"] for item in found["items"]} >= {HOSTILE, "Sencha"}

    client.predict("http large", "things", handle_file(str(large)), False, api_name="/store_catalog")
    assert client.predict("http large", api_name="/stop_indexing")["total"] == 2000
    assert _wait(client, "http large", "stopped")["done"] < 2000
    assert client.predict("http large", api_name="/index_catalog")["state"] in ("waiting", "indexing")
    assert client.predict("http large", api_name="/delete_catalog") == {"deleted": "http large"}
    with pytest.raises(AppError, match="no catalogue called"):
        client.predict("http large", api_name="/catalog_state")
    with pytest.raises(AppError, match="demo catalogue"):
        client.predict("films", api_name="/delete_catalog")

    folder = app.home / "sources" / "shelf"
    folder.mkdir(parents=True)
    (folder / "items.csv").write_text("id,title,text\n1,Heat,Two men.\n")
    client.predict("", "shelf", "", api_name="/store_source")
    assert _wait(client, "shelf", "ready")["done"] == 1
    settings = {"answers": 0, "order": "search"}
    found = client.predict("shelf", ["Alien"], "", "", 1, settings, api_name="/recommend")
    assert (found["answer"], found["items"][0]["title"]) == ("", "Heat")
    with pytest.raises(AppError, match="setting answers cannot be used"):
        client.predict("shelf", ["Alien"], "", "", 1, {"answers": 99}, api_name="/recommend")


def _wait(client: Client, name: str, state: str) -> dict:
    deadline = time.monotonic() + 300
    while (found := client.predict(name, api_name="/catalog_state"))["state"] != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.5)
    return found
