"""A real training run that goes on beside a measurement."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.config import DpoConfig
from training.runs.store import RunStore

_PATIENCE_S = 900.0


@contextmanager
def training_beside(home: Path, model: str) -> Iterator[None]:
    """DPO of `model` on made-up pairs, from its second step on; cancelled at the end.

    Raises RuntimeError when it does not train, or ended before what was measured did.
    """
    runs = RunStore(home / "runs", home=home)
    run_id = runs.start(DpoConfig(model=model, epochs=100, held_out=0, samples=False), _pairs())
    try:
        _wait_for_steps(runs, run_id)
        yield
        if (status := runs.get(run_id)).is_over:
            raise RuntimeError(f"the run ended before the measurement did: {status.state} {status.error}")
    finally:
        runs.stop(run_id, save=False)
        while not runs.get(run_id).is_over:
            time.sleep(1)


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
