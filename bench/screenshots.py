"""The README's screenshots, from a real app: `python -m bench.screenshots FOLDER`.

Annotates a few prompts by keyboard, trains the default model on them, evaluates on films and recommends
films to a player of games. Takes a quarter of an hour, twice that on a slow machine; `--only playground`
takes a minute.
Which answer is tagged best here is arbitrary; all else is real.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from bench import generated
from bench.served import served

_MINUTE = 60_000
_PROMPTS = 8
_WIDE: ViewportSize = {"width": 1360, "height": 940}
_NARROW: ViewportSize = {"width": 390, "height": 844}


PARTS = ("data", "annotate", "train", "evaluation", "playground", "korean")


def main(
    folder: Annotated[Path, typer.Argument(help="Where the pictures go.")],
    only: Annotated[str, typer.Option(help=f"Some of {', '.join(PARTS)}, with commas.")] = ",".join(PARTS),
) -> None:
    """Write a picture of each tab, and some in Korean, dark and narrow.

    The data are those under ZEROSHELF_SOURCES, or else made-up films. Training needs what is annotated.
    """
    parts = set(only.split(","))
    if unknown := parts - set(PARTS):
        raise typer.BadParameter(f"there is no {', '.join(unknown)}; there are {', '.join(PARTS)}")
    folder.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("ZEROSHELF_CHROMIUM", "/usr/bin/chromium")
    with TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        if not os.environ.get("ZEROSHELF_SOURCES"):
            generated.movielens(Path(home) / "sources" / "films", users=300, items=600, ratings=20_000)
        with served(Path(home)) as (address, _):
            page = browser.new_page(viewport=_WIDE, locale="en-US", device_scale_factor=1.5)
            page.goto(address)
            if "data" in parts:
                _data(page, folder)
            if "annotate" in parts:
                _annotate(page, folder)
            if "train" in parts:
                _train(page, folder)
            if "evaluation" in parts:
                _evaluate(page, folder)
            if "playground" in parts:
                page.get_by_role("tab").nth(0).click()
                _recommend(page)
                page.screenshot(path=folder / "playground.png")
            if "korean" in parts:
                _in_korean(browser, address, folder)
        browser.close()


def _data(page: Page, folder: Path) -> None:
    page.get_by_role("tab").nth(1).click()
    expect(page.locator("[data-source]").first).to_be_visible(timeout=_MINUTE)
    for source in page.locator("[data-source] input[type=checkbox]").all():
        source.check()
    page.click("#preview-job")
    expect(page.locator("#job-status .zs-run")).to_have_attribute("data-state", "done", timeout=5 * _MINUTE)
    page.get_by_role("tab", name="Quality score").click()
    expect(page.locator("#sides .zs-row").first).to_be_visible(timeout=_MINUTE)
    page.wait_for_timeout(1500)
    page.screenshot(path=folder / "data.png")


def _annotate(page: Page, folder: Path) -> None:
    page.get_by_role("tab").nth(2).click()
    for number in range(_PROMPTS):
        expect(page.locator(".zb-candidate")).to_have_count(5, timeout=5 * _MINUTE)
        first = page.locator(".zb-candidate").first.get_attribute("data-id")
        page.keyboard.press(f"Digit{1 + number % 5}")
        page.keyboard.press(f"Shift+Digit{1 + (number + 2) % 5}")
        if number == 2:
            page.wait_for_timeout(500)
            page.screenshot(path=folder / "annotate.png")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "before => document.querySelector('.zb-candidate')?.dataset.id !== before",
            arg=first,
            timeout=5 * _MINUTE,
        )


def _train(page: Page, folder: Path) -> None:
    page.get_by_role("tab").nth(3).click()
    expect(page.locator("#pair-count")).not_to_be_empty(timeout=_MINUTE)
    page.locator("#dpo-max-steps input").fill("12")
    page.locator("#dpo-batch-size input").fill("2")
    page.locator("#adapter-name textarea, #adapter-name input").first.fill("first-tags")
    page.click("#start-training")
    run = page.locator(".zs-run[data-step]")
    expect(run).to_have_attribute("data-step", "12", timeout=25 * _MINUTE)
    expect(run).to_have_attribute("data-state", "finished", timeout=5 * _MINUTE)
    page.wait_for_timeout(3000)
    page.screenshot(path=folder / "train.png")


def _evaluate(page: Page, folder: Path) -> None:
    page.get_by_role("tab").nth(4).click()
    expect(page.locator("#eval-source input")).not_to_have_value("", timeout=_MINUTE)
    page.locator("#eval-source input").click()
    page.get_by_role("option", name=re.compile("movielens", re.IGNORECASE)).first.click()
    page.locator("#eval-users input").fill("200")
    page.click("#run-evaluation")
    status = page.locator("#eval-status .zs-run")
    expect(status).to_have_attribute("data-state", "running", timeout=_MINUTE)
    expect(status).to_have_attribute("data-state", "done", timeout=60 * _MINUTE)
    page.wait_for_timeout(3000)
    page.screenshot(path=folder / "evaluation.png")


def _recommend(page: Page) -> None:
    expect(page.locator("#playground-status .zs-busy")).to_have_count(0, timeout=5 * _MINUTE)
    expect(page.locator("#recommend")).to_be_enabled(timeout=_MINUTE)
    page.click("#recommend")
    expect(page.locator("#slot-0 .is-done")).to_be_visible(timeout=3 * _MINUTE)
    page.wait_for_timeout(1000)


def _in_korean(browser: Browser, address: str, folder: Path) -> None:
    for name, viewport in (("dark", _WIDE), ("narrow", _NARROW)):
        page = browser.new_page(
            viewport=viewport, locale="ko-KR", color_scheme="dark" if name == "dark" else None
        )
        page.goto(f"{address}/?__theme=dark" if name == "dark" else address)
        _recommend(page)
        page.screenshot(path=folder / f"playground-ko-{name}.png", full_page=True)
        for number, tab in ((2, "annotate"), (3, "train"), (4, "evaluation")):
            page.get_by_role("tab").nth(number).click()
            page.wait_for_timeout(4000)
            page.screenshot(path=folder / f"{tab}-ko-{name}.png", full_page=True)


if __name__ == "__main__":
    typer.run(main)
