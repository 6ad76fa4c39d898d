"""A synthesis job in a terminal: lines of progress, Ctrl-C, and what came of it."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Literal

from recsys.priority import leads_session, step_back
from recsys.settings import Settings
from recsys.synthesis.config import read_config
from recsys.synthesis.engines import Engine, LocalEngine, RayEngine
from recsys.synthesis.job import Job, Progress
from recsys.synthesis.report import Report

_INTERRUPTED = 130
_EVERY_S = 5.0


def run_in_terminal(
    config: Path,
    out: Path,
    settings: Settings,
    *,
    engine: Literal["local", "ray"],
    address: str | None,
    workers: int,
) -> int:
    """Run the job of a configuration file; returns the exit code. Raises what `Job.run` raises.

    The first Ctrl-C (or SIGTERM) ends the job after the shards in work; a second one at once.
    """
    stop = threading.Event()

    def ask_to_stop(signum: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        print("Stopping after the rows in work. Once more: at once.", file=sys.stderr, flush=True)
        stop.set()

    if leads_session():  # a job of the page, not one that somebody waits for at a terminal
        step_back()
    chosen: Engine = RayEngine(address, workers) if engine == "ray" else LocalEngine(workers)
    before = {s: signal.signal(s, ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        report = Job(read_config(config), out, settings).run(chosen, stop=stop, said=_Lines())
    except KeyboardInterrupt:
        report = None
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
    if report is None:
        print(f"Stopped. The same command goes on from what is in {out}.")
        return _INTERRUPTED
    _print_report(report, out)
    return 0


class _Lines:
    """Prints a line when the stage changes, and every few seconds."""

    def __init__(self) -> None:
        self._stage = ""
        self._printed = 0.0

    def __call__(self, progress: Progress) -> None:
        line = f"{progress.dataset}: {progress.stage}" if progress.dataset else progress.stage
        if line == self._stage and time.monotonic() - self._printed < _EVERY_S:
            return
        self._stage, self._printed = line, time.monotonic()
        if progress.rows_read:
            line += f": {progress.rows_read:,} rows"
        if progress.rows_total:
            line += f": {progress.rows_done:,} of {progress.rows_total:,}"
        if progress.eta_s is not None:
            line += f", about {progress.eta_s:.0f} s left"
        print(line, flush=True)


def _print_report(report: Report, out: Path) -> None:
    for o in report.obtained:
        why = "".join(f"; {count:,} {reason}" for reason, count in o.dropped.items())
        asked = f"{o.split:10} {o.dataset:13} asked {o.asked:8,}"
        print(f"{asked}  obtained {o.obtained:8,}  of {o.written:,} tried{why}")
    print(f"{report.total('train'):,} training rows in {out}")
