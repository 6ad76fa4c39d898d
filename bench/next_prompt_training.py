"""How much longer the next prompt takes to appear while a training run is going: the ratio of the p95."""

from __future__ import annotations

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.next_prompt import MODEL, annotating, next_prompt, p95
from bench.training_beside import training_beside

_PROMPTS = 20


def run() -> None:
    """Annotate by keyboard before and during a DPO run on made-up pairs, and print both and the ratio."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        with annotating(home, 2 * _PROMPTS) as page:
            alone = [next_prompt(page) for _ in range(_PROMPTS)]
            with training_beside(home, MODEL):
                beside = [next_prompt(page) for _ in range(_PROMPTS)]
    for name, times in (("alone", alone), ("beside a training run", beside)):
        print(
            f"{name}: median {statistics.median(times):.0f} ms, p95 {p95(times):.0f} ms ({_PROMPTS} prompts)"
        )
    print(f"p95 beside training is {p95(beside) / p95(alone):.2f} times that alone")
