"""A stop is obeyed, by real processes that do not want to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.training.support import wait_until
from training.config import DpoConfig
from training.runs.events import EventWriter, MetricsEvent, NoteEvent, StateEvent, read_events
from training.runs.folder import Patience, RunFolder, RunRecord, new_run_id
from training.runs.keeper import keep
from training.runs.processes import ProcessRecord
from training.runs.status import read_status
from training.runs.watchdog import escalate, step_seconds

POLITE = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {POLITE}"
PARENT = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    now = datetime.now(UTC)
    folder = RunFolder(tmp_path / new_run_id("dpo", now))
    folder.path.mkdir()
    folder.config.write_text(DpoConfig().model_dump_json())
    patience = Patience(cancel=0.2, save=0.2, end=0.5)
    folder.write_record(
        RunRecord(
            run_id=folder.path.name, kind="dpo", name="x", created=now, home=tmp_path, patience=patience
        )
    )
    EventWriter(folder.events).write(StateEvent(state="training"))
    return folder


@pytest.fixture
def kept(folder: RunFolder) -> Iterator[list[threading.Thread]]:
    """The keepers' threads; what is left of their workers is killed."""
    threads: list[threading.Thread] = []
    yield threads
    if (worker := folder.process()) is not None and worker.pid != os.getpid():
        worker.send(signal.SIGKILL)
    for thread in threads:
        thread.join(timeout=30)


def keep_worker(folder: RunFolder, threads: list[threading.Thread], code: str) -> ProcessRecord:
    """The real keeper with another worker, which has said that it is up."""
    thread = threading.Thread(target=keep, args=(folder, [sys.executable, "-uc", code]), daemon=True)
    thread.start()
    threads.append(thread)
    wait_until(lambda: folder.process() is not None)
    worker = folder.process()
    assert worker is not None
    return worker


def notes(folder: RunFolder) -> list[str]:
    return [event.text for event in read_events(folder.events)[0] if isinstance(event, NoteEvent)]


@pytest.mark.slow
@pytest.mark.parametrize("request_", ["cancel", "save"])
def test_a_worker_that_ignores_sigterm_is_killed(
    folder: RunFolder, kept: list[threading.Thread], capfd: pytest.CaptureFixture[str], request_: str
) -> None:
    worker = keep_worker(folder, kept, STUBBORN)
    wait_until(lambda: "up" in capfd.readouterr().out)
    folder.request_stop("cancel" if request_ == "cancel" else "save")
    kept[0].join(timeout=120)
    assert not worker.is_alive()
    assert [text.split(":")[-1].strip() for text in notes(folder)][:2] == ["SIGTERM", "SIGKILL"]
    status = read_status(folder)
    assert status is not None
    assert status.state == "stopped"
    assert status.reason.startswith(f"asked to stop and {request_}; it did not answer and was ended")
    assert status.is_resumable


@pytest.mark.slow
def test_all_that_the_worker_started_ends_with_it(
    folder: RunFolder, kept: list[threading.Thread], capfd: pytest.CaptureFixture[str]
) -> None:
    worker = keep_worker(folder, kept, PARENT)
    said = ""

    def child() -> int | None:
        nonlocal said
        said += capfd.readouterr().out
        return int(said) if said.strip() else None

    wait_until(lambda: child() is not None)
    grandchild = ProcessRecord.of(int(said))
    os.kill(worker.pid, signal.SIGSTOP)  # it answers to nothing now, as one that hangs in the kernel
    folder.request_stop("cancel")
    kept[0].join(timeout=120)
    wait_until(lambda: not grandchild.is_alive())
    assert not worker.is_alive()


@pytest.mark.slow
def test_a_keeper_says_the_last_word_for_a_worker_that_was_killed(
    folder: RunFolder, kept: list[threading.Thread]
) -> None:
    worker = keep_worker(folder, kept, POLITE)
    folder.log.write_text("its last line\n")
    os.kill(worker.pid, signal.SIGKILL)
    kept[0].join(timeout=120)
    status = read_status(folder)
    assert status is not None
    assert status.state == "interrupted"
    assert "SIGKILL" in status.reason
    assert "memory ran out" in status.reason
    assert status.error == "its last line"


def test_nothing_is_done_before_its_time(folder: RunFolder) -> None:
    """This test's own process stands for the worker; it would not survive."""
    folder.write_process(ProcessRecord.of(os.getpid()))
    escalate(folder, Patience(cancel=0, save=0, end=0))  # nobody has asked
    folder.request_stop("cancel")
    escalate(folder, Patience(cancel=3600))
    folder.request_stop("save")
    escalate(folder, Patience(save=3600))
    assert folder.terminated_at() is None
    assert notes(folder) == []


def test_a_worker_that_still_works_is_not_disturbed_while_it_saves(folder: RunFolder) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", POLITE], stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        folder.write_process(ProcessRecord.of(child.pid))
        folder.request_stop("save")
        long_ago = datetime.now().timestamp() - 1000
        os.utime(folder.path / "stop", (long_ago, long_ago))
        folder.beat()
        escalate(folder, Patience(save=100))
        assert folder.terminated_at() is None
        for path in (folder.path / "beat", folder.events):
            os.utime(path, (long_ago, long_ago))
        escalate(folder, Patience(save=100))
        assert folder.terminated_at() is not None
        assert child.wait(timeout=30) == -signal.SIGTERM
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def test_slow_steps_earn_more_patience() -> None:
    events = [MetricsEvent(step=n, steps=9, values={}, time=float(at)) for n, at in enumerate((0, 50, 150))]
    assert step_seconds(events) == 100
    assert step_seconds(events[:1]) == 0


def test_asking_again_does_not_start_the_clock_again(folder: RunFolder) -> None:
    folder.request_stop("save")
    os.utime(folder.path / "stop", (1.0, 1.0))
    folder.request_stop("save")
    assert folder.stop_requested_at() == 1.0
    folder.request_stop("cancel")
    assert (folder.stop_requested_at() or 0) > 1.0
