"""Whose turn it is. The queue is the runs' folders themselves: a run without a process waits.

One run at a time has a device. Whoever looks starts what can be started: the page, a command, and the
keeper of a run that ends, so that the queue goes on when nobody looks. They agree by a lock on a file.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

from training.config import read_config
from training.machine.devices import free_devices, graphics_cards
from training.runs.endings import close_run
from training.runs.events import FINAL_STATES, last_state
from training.runs.folder import RunFolder, RunRecord, is_run_id
from training.runs.processes import ProcessRecord
from training.runs.watchdog import escalate

_PROJECT = Path(__file__).resolve().parents[2]

_children: list[subprocess.Popen[bytes]] = []
"""Keepers started from this process; polled so that an ended one does not stay as a zombie."""


def lock(root: Path) -> FileLock:
    """What protects the queue of the runs under `root`; whoever holds it may take it again."""
    return FileLock(root / ".lock", is_singleton=True)


def folders(root: Path) -> list[RunFolder]:
    """The folders of all runs."""
    if not root.is_dir():
        return []
    return [RunFolder(path) for path in root.iterdir() if is_run_id(path.name)]


def look(root: Path) -> None:
    """Compare the folders with the living processes, and start what can be started.

    A run whose process is gone gets its last word; one that does not answer is dealt with even where
    its keeper is gone.
    """
    reap()
    open_runs = [folder for folder in folders(root) if folder.record() and not is_over(folder)]
    if not open_runs:
        return
    with lock(root):
        for folder in open_runs:
            if not folder.has_been_launched():
                continue
            if not folder.is_alive():
                close_run(folder)
            elif (keeper := folder.keeper()) is None or not keeper.is_alive():
                record = folder.record()
                if record is not None:
                    escalate(folder, record.patience)
        start_next(root)


def start_next(root: Path, cards: Callable[[], Sequence[int]] | None = None) -> None:
    """Start the runs whose turn it is, the one that waits longest first; later ones never pass it."""
    with lock(root):
        runs = [folder for folder in folders(root) if not is_over(folder)]
        busy = [_devices(folder) for folder in runs if folder.is_alive()]
        waiting = [folder for folder in runs if not folder.has_been_launched()]
        if not waiting:
            return
        numbers = (cards or card_numbers)()
        for folder, record in sorted(_with_records(waiting), key=lambda pair: waiting_since(*pair)):
            devices = free_devices(_wanted(folder, record), numbers, busy)
            if devices is None:
                return
            launch(folder, record, devices)
            busy.append(devices)


def card_numbers() -> list[int]:
    """The numbers of this machine's graphics cards."""
    return [card.number for card in graphics_cards()]


def is_over(folder: RunFolder) -> bool:
    """Whether the run has said its last word."""
    return last_state(folder.events).state in FINAL_STATES


def waiting_since(folder: RunFolder, record: RunRecord) -> float:
    """When the run was put into the queue, in Unix seconds."""
    state = last_state(folder.events)
    return state.time or record.created.timestamp()


def launch(folder: RunFolder, record: RunRecord, devices: tuple[int, ...]) -> None:
    """Start the run's keeper, and so the run.

    In a new session, so that neither Ctrl-C nor the end of this process reaches it; with a file, not a
    pipe, for its output, so that it never waits for somebody to read.
    """
    paths = [str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    folder.write_keeper(ProcessRecord.about_to_start(devices))
    with folder.log.open("ab") as log:
        child = subprocess.Popen(
            # -P: the working folder, which relative model paths refer to, is no place for modules
            [sys.executable, "-P", "-m", "training.runs.keeper", str(folder.path)],
            cwd=record.cwd if record.cwd is not None and record.cwd.is_dir() else None,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    _children.append(child)


def reap() -> None:
    """Let go of keepers that were started here and have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def _with_records(waiting: Sequence[RunFolder]) -> list[tuple[RunFolder, RunRecord]]:
    return [(folder, record) for folder in waiting if (record := folder.record()) is not None]


def _devices(folder: RunFolder) -> tuple[int, ...]:
    keeper = folder.keeper() or folder.process()
    return keeper.devices if keeper is not None else ()


def _wanted(folder: RunFolder, record: RunRecord) -> int:
    return read_config(record.kind, folder.config.read_bytes()).processes
