"""How much longer the next prompt takes to appear while a training run is going: the ratio of the p95."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.next_prompt import MODEL, annotating, next_prompt, p95
from training.config import DpoConfig
from training.runs.store import RunStore

_PROMPTS = 20
_PATIENCE_S = 900.0


def run() -> None:
    """Annotate by keyboard before and during a DPO run on made-up pairs, and print both and the ratio."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        with annotating(home, 2 * _PROMPTS) as page:
            alone = [next_prompt(page) for _ in range(_PROMPTS)]
            runs = RunStore(home / "runs", home=home)
            run_id = runs.start(DpoConfig(model=MODEL, epochs=100, held_out=0), _pairs())
            try:
                _wait_for_steps(runs, run_id)
                beside = [next_prompt(page) for _ in range(_PROMPTS)]
                went_on = not runs.get(run_id).is_over
            finally:
                runs.stop(run_id, save=False)
                _wait_for_end(runs, run_id)
    if not went_on:
        raise RuntimeError("the run ended before the measurement did")
    for name, times in (("alone", alone), ("beside a training run", beside)):
        print(
            f"{name}: median {statistics.median(times):.0f} ms, p95 {p95(times):.0f} ms ({_PROMPTS} prompts)"
        )
    print(f"p95 beside training is {p95(beside) / p95(alone):.2f} times that alone")


def _pairs() -> list[dict[str, object]]:
    return [
        {
            "prompt": [{"role": "user", "content": f"Read book {number} and liked it. Which film next?"}],
            "chosen": [{"role": "assistant", "content": f"A slow film about the sea, as in book {number}."}],
            "rejected": [{"role": "assistant", "content": f"Number {number} is a number and no film."}],
        }
        for number in range(64)
    ]


def _wait_for_steps(runs: RunStore, run_id: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while (status := runs.get(run_id)).step < 2:
        if status.is_over or time.monotonic() > deadline:
            raise RuntimeError(f"the run does not train: {status.state} {status.reason} {status.error}")
        time.sleep(1)


def _wait_for_end(runs: RunStore, run_id: str) -> None:
    while not runs.get(run_id).is_over:
        time.sleep(1)
