"""The resident memory of real runs at its peak while they train, beside what was foretold."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from training.config import DpoConfig, SftConfig, TrainingConfig
from training.machine.memory import MIB
from training.preflight import preflight
from training.runs.store import RunStore

_COMMON: dict[str, Any] = {"max_steps": 2, "epochs": 4, "held_out": 0, "samples": False}
_SMOLLM2, _GEMMA = "smollm2-135m-instruct", "gemma-3-270m"
_RUNS: tuple[tuple[TrainingConfig, int], ...] = (
    (SftConfig(model=_SMOLLM2, batch_size=1, **_COMMON), 8),
    (SftConfig(model=_SMOLLM2, batch_size=8, **_COMMON), 40),
    (SftConfig(model=_SMOLLM2, batch_size=8, dtype="fp32", **_COMMON), 40),
    (SftConfig(model=_SMOLLM2, batch_size=8, fast_path=False, **_COMMON), 40),
    (DpoConfig(model=_SMOLLM2, batch_size=4, **_COMMON), 8),
    (SftConfig(model=_GEMMA, batch_size=8, **_COMMON), 40),
    (DpoConfig(model=_GEMMA, batch_size=4, **_COMMON), 8),
)
"""What is trained, and how long its rows are, in repetitions of eight words."""

_WORDS = "sea memory quiet winter harbour letter lantern island "


def run() -> None:
    """Train each for two steps and print both figures and their ratio."""
    with TemporaryDirectory() as folder:
        runs = RunStore(Path(folder) / "runs")
        for config, repetitions in _RUNS:
            rows = [_row(config, number, repetitions) for number in range(4 * config.batch_size)]
            foretold = preflight(config, rows, runs.home).memory_needed / MIB
            measured = _peak(runs, runs.start(config, rows)) / MIB
            path = "fast path" if config.fast_path else "TRL's own path"
            print(
                f"{config.kind} {config.model}, {config.batch_size} rows, {config.dtype}, {path}: "
                f"{measured:.0f} MB, foretold {foretold:.0f}, ratio {foretold / measured:.2f}",
                flush=True,
            )


def _row(config: TrainingConfig, number: int, repetitions: int) -> dict[str, object]:
    asked = {"role": "user", "content": f"{number} {_WORDS * repetitions}"}
    answer = {"role": "assistant", "content": f"{number} is a quiet book about the sea and its winters."}
    other = {"role": "assistant", "content": f"Films, films and more films, {number} of them."}
    if config.kind == "sft":
        return {"messages": [asked, answer]}
    return {"prompt": [asked], "chosen": [answer], "rejected": [other]}


def _peak(runs: RunStore, run_id: str) -> int:
    """Bytes, looked at twenty times a second from the first step's beginning to the last one's end."""
    peak = 0
    while not (status := runs.get(run_id)).is_over:
        worker = runs.folder(run_id).process()
        if worker is not None and status.state == "training" and status.step < (status.steps or 1):
            try:
                peak = max(peak, psutil.Process(worker.pid).memory_info().rss)
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.05)
    if status.state != "finished":
        raise RuntimeError(f"{status.state}: {status.error}")
    return peak
