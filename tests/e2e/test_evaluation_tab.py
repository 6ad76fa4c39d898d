"""The evaluation tab in a browser: start, watch, reload, read the result, compare two reports."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(600)]

MINUTE = 60_000
TAB = 4


@pytest.fixture(scope="module")
def own_app(tmp_path_factory: pytest.TempPathFactory, start_app) -> Iterator[object]:
    """An app whose only source is sixty people's ratings of forty films of two kinds."""
    home = tmp_path_factory.mktemp("home")
    folder = home / "sources" / "two kinds"
    folder.mkdir(parents=True)
    draw = random.Random(5)
    kinds = (("Space war", "Sci-Fi"), ("Quiet garden", "Drama"))
    movies = [f"{n},{kinds[n % 2][0]} {n} ({1970 + n}),{kinds[n % 2][1]}" for n in range(40)]
    ratings = [
        f"{user},{film},5.0,{user * 100 + step}"
        for user in range(60)
        for step, film in enumerate(draw.sample([n for n in range(40) if n % 2 == user % 2], 12))
    ]
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "\n".join(movies), encoding="utf-8")
    (folder / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n" + "\n".join(ratings), encoding="utf-8"
    )
    (home / "sources" / "notes.txt").write_text("no dataset", encoding="utf-8")
    with start_app(home) as started:
        yield started


def test_from_the_form_to_a_result_and_a_comparison(korean_page: Page, own_app) -> None:
    page = korean_page
    page.goto(own_app.url)
    page.get_by_role("tab", name="성능 측정").click()
    expect(page.locator("#eval-status .zs-empty")).to_be_visible(timeout=MINUTE)
    expect(page.locator("#eval-source input")).to_have_value("two kinds · 영화 (movielens)", timeout=MINUTE)

    page.locator("#eval-users input").fill("0")
    page.click("#run-evaluation")
    expect(page.get_by_text("사용자 수는 1 이상이어야 합니다")).to_be_visible(timeout=15_000)

    page.locator("#eval-users input").fill("10")
    page.locator("#eval-history input").fill("11")
    page.click("#run-evaluation")
    expect(page.get_by_text("1개에서 10개까지입니다")).to_be_visible(timeout=15_000)
    page.locator("#eval-history input").fill("10")

    page.get_by_label("답변만 (HyDE)").check()
    page.click("#run-evaluation")
    status = page.locator("#eval-status .zs-run")
    expect(status).to_have_attribute("data-state", "running", timeout=MINUTE)
    expect(page.locator("#eval-status [role=progressbar]")).to_be_visible()
    page.reload()
    page.get_by_role("tab", name="성능 측정").click()
    expect(status).to_have_attribute("data-state", "done", timeout=5 * MINUTE)

    expect(page.locator("#eval-verdict")).to_contain_text("추천 10개 안에서 찾습니다")
    expect(page.locator("#eval-table tbody tr")).to_have_count(11)
    expect(page.locator("#eval-plot .ytick")).to_have_count(11, timeout=15_000)
    expect(page.locator("#eval-plot-against .ytick")).to_have_count(10, timeout=15_000)
    width = page.locator("#eval-plot .main-svg").first.bounding_box()
    frame = page.locator("#eval-plot").bounding_box()
    assert width is not None
    assert frame is not None
    assert 0.8 * frame["width"] < width["width"] <= frame["width"]

    page.get_by_role("tab", name="답변과 비용").click()
    expect(page.locator("#eval-costs")).to_contain_text("이력과 같은 언어로 씀")

    page.locator("#eval-users input").fill("10")  # the form is as at first after the reload
    page.click("#run-evaluation")
    expect(status).to_have_attribute("data-state", "running", timeout=MINUTE)
    expect(status).to_have_attribute("data-state", "done", timeout=2 * MINUTE)
    page.get_by_role("tab", name="비교", exact=True).click()
    page.locator("#eval-other input").click()
    page.get_by_role("option").first.click()
    expect(page.locator("#eval-compared tbody tr")).to_have_count(10, timeout=15_000)
    expect(page.locator("#eval-compared")).to_contain_text("우연과 구별되지 않는")
    page.get_by_role("tab", name="모든 결과").click()
    expect(page.locator("#eval-reports tbody tr")).to_have_count(2)


def test_the_tab_fits_a_phone(browser: Browser, own_app) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
    page = context.new_page()
    page.goto(own_app.url)
    page.get_by_role("tab").nth(TAB).click()
    expect(page.locator("#run-evaluation")).to_be_visible(timeout=MINUTE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_the_same_over_http(own_app) -> None:
    client = Client(own_app.url, verbose=False)
    groups = {m["method"]: m["group"] for m in client.predict(api_name="/evaluation_methods")}
    assert (groups["last"], groups["ease"], groups["hyde"]) == ("simple", "in-domain", "model")
    with pytest.raises(AppError, match="There is no source called"):
        client.predict({"source": "../etc"}, api_name="/start_evaluation")
    with pytest.raises(AppError, match="no method called"):
        client.predict({"source": "two kinds", "methods": ["magic"]}, api_name="/start_evaluation")
    with pytest.raises(AppError, match="There is no model called"):
        client.predict({"source": "two kinds", "model": "/etc/x.gguf"}, api_name="/start_evaluation")
    with pytest.raises(AppError, match="There is no evaluation called"):
        client.predict("../x", api_name="/evaluation_report")

    names = []
    for methods in (["random", "default"], ["default", "last"]):
        config = {"source": "two kinds", "methods": methods, "users": 8, "seed": 9}
        names.append(client.predict(config, api_name="/start_evaluation")["evaluation"])
        deadline = time.monotonic() + 120
        while (now := client.predict(names[-1], api_name="/evaluation"))["state"] == "running":
            assert time.monotonic() < deadline, now
            time.sleep(0.2)
        assert now["state"] == "done", now
    report = client.predict(names[0], api_name="/evaluation_report")
    assert (report["dataset"], report["users"], report["items"]) == ("movielens", 8, 40)
    assert "ndcg@10" in report["methods"][0]
    (found,) = client.predict(*names, api_name="/compare_evaluations")
    assert (found["method"], found["difference"], found["p"]) == ("default", 0.0, 1.0)
    listed = {e["name"]: e for e in client.predict(api_name="/evaluations")}
    assert listed[names[0]] == {"name": names[0], "state": "done", "has_report": True}
    stopped = client.predict(names[0], api_name="/stop_evaluation")
    assert stopped["state"] == "done"  # there was nothing left to stop
