"""Milliseconds from the annotator's Enter to the next prompt's cards, in a browser, when prefetched."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from bench.served import served

_PROMPTS = 20
MODEL = "smollm2-135m-instruct"


def run() -> None:
    """Sample ahead, then annotate by keyboard and print the median and the 95th percentile."""
    with TemporaryDirectory() as folder, annotating(Path(folder), _PROMPTS) as page:
        times = [next_prompt(page) for _ in range(_PROMPTS)]
    print(
        f"Enter to the next prompt: median {statistics.median(times):.0f} ms, p95 {p95(times):.0f} ms "
        f"({len(times)} prompts)"
    )


def p95(times: Sequence[float]) -> float:
    """The 95th percentile."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]


@contextmanager
def annotating(home: Path, prompts: int) -> Iterator[Page]:
    """The Annotate tab of an app over `home`, when the candidates of `prompts` prompts are sampled."""
    chromium = os.environ.get("ZEROSHELF_CHROMIUM", "/usr/bin/chromium")
    ahead = {"ZEROSHELF_CANDIDATES_AHEAD": str(prompts + 4), "ZEROSHELF_MAX_ANSWER_TOKENS": "48"}
    with served(home, "--model", MODEL, **ahead) as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.get_by_role("tab").nth(2).click()
        page.wait_for_selector(".zb-candidate", timeout=300_000)
        _wait_until_sampled(home, prompts + 2)
        yield page
        browser.close()


def _wait_until_sampled(home: Path, prompts: int) -> None:
    from annotation.store import AnnotationStore

    with AnnotationStore(home / "annotations.db") as store:
        deadline = time.monotonic() + 900
        while store.judgements.counts().sampled < prompts:
            if time.monotonic() > deadline:
                raise RuntimeError("the candidates were not sampled within 15 minutes")
            time.sleep(1)


def next_prompt(page: Page) -> float:
    """Judge one; milliseconds, measured in the page: from the key to the board showing another task."""
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
