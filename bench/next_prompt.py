"""Milliseconds from the annotator's Enter to the next prompt's cards, in a browser, when prefetched."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from bench.served import served

_PROMPTS = 20
_MODEL = "smollm2-135m-instruct"


def run() -> None:
    """Sample ahead, then annotate by keyboard and print the median and the 95th percentile."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        ahead = str(_PROMPTS + 4)
        with served(
            home, "--model", _MODEL, ZEROSHELF_CANDIDATES_AHEAD=ahead, ZEROSHELF_MAX_ANSWER_TOKENS="48"
        ) as (address, _):
            times = _annotate(address, home)
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    print(
        f"Enter to the next prompt: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms "
        f"({len(times)} prompts)"
    )


def _annotate(address: str, home: Path) -> list[float]:
    chromium = os.environ.get("ZEROSHELF_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.get_by_role("tab").nth(2).click()
        page.wait_for_selector(".zb-candidate", timeout=300_000)
        _wait_until_sampled(home, _PROMPTS + 2)
        times = [_next(page) for _ in range(_PROMPTS)]
        browser.close()
    return times


def _wait_until_sampled(home: Path, prompts: int) -> None:
    from annotation.store import AnnotationStore

    with AnnotationStore(home / "annotations.db") as store:
        deadline = time.monotonic() + 900
        while store.judgements.counts().sampled < prompts:
            if time.monotonic() > deadline:
                raise RuntimeError("the candidates were not sampled within 15 minutes")
            time.sleep(1)


def _next(page: Page) -> float:
    """Milliseconds, measured in the page: from the key to the board showing another task."""
    page.keyboard.press("1")
    page.keyboard.press("Shift+2")
    page.evaluate(
        """() => {
            const first = () => document.querySelector('.zb-candidate')?.dataset.id;
            const before = first();
            window.zsDone = new Promise(resolve => {
                document.addEventListener('keydown', () => {
                    const started = performance.now();
                    const look = () => first() && first() !== before
                        ? resolve(performance.now() - started) : requestAnimationFrame(look);
                    look();
                }, { once: true, capture: true });
            });
        }"""
    )
    page.keyboard.press("Enter")
    return float(page.evaluate("() => window.zsDone"))
