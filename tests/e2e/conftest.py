"""One real app over a clean home folder, and a real browser, for the tests of this folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PROJECT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("ZEROSHELF_CHROMIUM", "/usr/bin/chromium")
MODEL = "smollm2-135m-instruct"


@dataclass(frozen=True)
class RunningApp:
    url: str
    home: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_app(home: Path, *options: str) -> Iterator[RunningApp]:
    """The app as a person starts it, with short answers so that the tests are short too."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "app.py", "--port", str(port), "--home", str(home), "--model", MODEL]
    environment = {
        **os.environ,
        "ZEROSHELF_MAX_ANSWER_TOKENS": "40",
        "ZEROSHELF_CANDIDATES_AHEAD": "3",
    }
    log = home / "app.log"
    with log.open("ab") as out:
        process = subprocess.Popen([*command, *options], cwd=PROJECT, stdout=out, stderr=out, env=environment)
    try:
        deadline = time.monotonic() + 120
        while not _answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield RunningApp(url, home)
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(30)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """One app over a clean home folder for the tests that do not need their own."""
    with running_app(tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture(scope="session")
def start_app() -> Callable[..., AbstractContextManager[RunningApp]]:
    """For a test that needs an app of its own: call it with a home folder and options."""
    return running_app


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"needs Chromium at {CHROMIUM}, or its path in ZEROSHELF_CHROMIUM")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield found
        found.close()


@pytest.fixture
def korean_page(browser: Browser) -> Iterator[Page]:
    """A page as a visitor with a Korean browser sees it; it fails the test on a script error.

    Gradio's own plots sometimes read the `offsetWidth` of an element that is gone when they are redrawn while
    the page is left; no script of ours reads it.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="ko-KR")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert [error for error in errors if "offsetWidth" not in error] == []


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as page:
            return bool(page.status == 200)
    except (urllib.error.URLError, OSError):
        return False
