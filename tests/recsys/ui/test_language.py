from __future__ import annotations

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient

from recsys.ui.language import COOKIE, ChosenLanguage

PAGE = "<!doctype html><html lang='en'><head><title>한</title></head><body><head></body></html>"


def client(fixed: str | None = None) -> TestClient:
    app = FastAPI()
    app.add_middleware(ChosenLanguage, fixed=fixed)

    @app.api_route("/", methods=["GET", "HEAD"])
    def page() -> HTMLResponse:
        return HTMLResponse(PAGE)

    @app.get("/asked")
    def asked(request: Request) -> str | None:
        return request.headers.get("accept-language")

    return TestClient(app, headers={"accept-language": "en-GB,en"})


def test_without_a_choice_the_browser_decides() -> None:
    browser = client()
    assert browser.get("/asked").json() == "en-GB,en"
    page = browser.get("/")
    assert "defineProperty" not in page.text
    assert "documentElement.lang=" in page.text
    assert not page.cookies


def test_the_query_chooses_and_is_kept() -> None:
    browser = client()
    page = browser.get("/?lang=ko")
    assert "get:()=>'ko'" in page.text
    assert page.cookies[COOKIE] == "ko"
    assert browser.get("/asked").json() == "ko"
    assert "get:()=>'ko'" in browser.get("/").text


def test_the_page_is_otherwise_as_it_was() -> None:
    page = client().get("/")
    start, _, rest = page.text.partition("<script>")
    assert start + rest.partition("</script>")[2] == PAGE
    assert int(page.headers["content-length"]) == len(page.content)
    assert client().head("/").content == b""


@pytest.mark.parametrize("value", ["fr", "ko';alert(1)//", "", "KO"])
def test_an_unknown_language_is_no_choice(value: str) -> None:
    browser = client()
    page = browser.get("/", params={"lang": value}, headers={"cookie": f'{COOKIE}="{value}"'})
    assert "defineProperty" not in page.text
    assert not page.cookies
    asked = browser.get("/asked", headers={"cookie": f"other=a;b; {COOKIE}={value}"})
    assert asked.json() == "en-GB,en"


def test_a_fixed_language_is_over_every_choice() -> None:
    browser = client(fixed="en")
    assert "get:()=>'en'" in browser.get("/?lang=ko").text
    assert browser.get("/asked", headers={"cookie": f"{COOKIE}=ko"}).json() == "en"
