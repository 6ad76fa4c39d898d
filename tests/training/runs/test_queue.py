"""Runs wait for each other, in folders and processes; the workers here do nothing and are quick."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.training.support import MODEL, PROJECT, wait_until
from training.config import DpoConfig
from training.machine.devices import free_devices, parse_cards
from training.runs import queue as run_queue
from training.runs.events import EventWriter, StateEvent
from training.runs.folder import RunFolder, RunRecord, new_run_id
from training.runs.processes import ProcessRecord
from training.runs.queue import folders, look, start_next, waiting_since
from training.runs.status import read_status


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "runs"
    path.mkdir()
    return path


def queued(root: Path, number: int = 0, **changes: object) -> RunFolder:
    """A run that waits since `number` seconds after some moment."""
    now = datetime.now(UTC) - timedelta(hours=1) + timedelta(seconds=number)
    folder = RunFolder(root / new_run_id("dpo", now))
    folder.path.mkdir()
    folder.config.write_text(DpoConfig(model=MODEL).model_copy(update=changes).model_dump_json())
    folder.write_record(
        RunRecord(run_id=folder.path.name, kind="dpo", name=f"run-{number}", created=now, home=root.parent)
    )
    return folder


def state(folder: RunFolder) -> str:
    status = read_status(folder)
    assert status is not None
    return status.state


def running_here(folder: RunFolder, devices: tuple[int, ...] = ()) -> None:
    """As if this test's own process did the run's work."""
    folder.write_keeper(ProcessRecord.of(os.getpid(), devices))


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were launched, instead of their processes."""
    names: list[str] = []

    def launch(folder: RunFolder, record: RunRecord, devices: tuple[int, ...]) -> None:
        names.append(record.name)
        running_here(folder, devices)

    monkeypatch.setattr(run_queue, "launch", launch)
    return names


def test_one_run_at_a_time_and_the_one_that_waits_longest_first(root: Path, launched: list[str]) -> None:
    later, first = queued(root, 2), queued(root, 1)
    start_next(root, cards=list)
    start_next(root, cards=list)
    assert launched == ["run-1"]
    assert (state(first), state(later)) == ("queued", "queued")
    EventWriter(first.events).write(StateEvent(state="finished"))
    start_next(root, cards=list)
    assert launched == ["run-1", "run-2"]


def test_a_resumed_run_waits_behind_those_that_were_there(root: Path, launched: list[str]) -> None:
    old, new = queued(root, 1), queued(root, 2)
    EventWriter(old.events).write(StateEvent(state="queued", reason="goes on from step 3"))
    record = old.record()
    assert record is not None
    assert waiting_since(old, record) == pytest.approx(time.time(), abs=60)
    start_next(root, cards=list)
    assert launched == ["run-2"]
    assert state(new) == "queued"


def test_runs_share_graphics_cards_and_none_passes_another(root: Path, launched: list[str]) -> None:
    queued(root, 1), queued(root, 2, processes=2), queued(root, 3)
    start_next(root, cards=lambda: [0, 1])
    assert launched == ["run-1"], "the second waits for two cards, and the third behind it"


@pytest.mark.parametrize(
    ("wanted", "cards", "busy", "given"),
    [
        (1, [], [], ()),
        (1, [], [()], None),
        (4, [], [], ()),
        (1, [0, 1], [(0,)], (1,)),
        (2, [0, 1], [(0,)], None),
        (8, [0, 1], [], (0, 1)),
        (1, [0], [(0,)], None),
        (1, [0], [()], None),
    ],
)
def test_free_devices(wanted: int, cards: list[int], busy: list[tuple[int, ...]], given: object) -> None:
    assert free_devices(wanted, cards, busy) == given


def test_the_answer_of_nvidia_smi_is_read() -> None:
    cards = parse_cards("0, 81559, 81000\n1, 81559, [N/A]\nNo devices were found\n")
    assert [(card.number, card.total >> 20, card.free >> 20) for card in cards] == [(0, 81559, 81000)]


def test_many_who_look_at_once_start_one_run_once(root: Path) -> None:
    """In processes of their own, as apps and keepers are; the keeper here is the real one."""
    folder = queued(root, model="missing.gguf")  # the worker fails soon
    code = (
        "import sys; from pathlib import Path; from training.runs.queue import look; look(Path(sys.argv[1]))"
    )
    with ThreadPoolExecutor(4) as pool:
        command = [sys.executable, "-c", code, str(root)]
        list(pool.map(lambda _: subprocess.run(command, cwd=PROJECT, check=True, timeout=60), range(4)))
    wait_until(lambda: state(folder) == "failed")
    states = [e.state for e in run_events(folder) if isinstance(e, StateEvent)]
    assert states.count("preparing") <= 1
    assert states.count("failed") == 1


def run_events(folder: RunFolder) -> list[object]:
    from training.runs.events import read_events

    return list(read_events(folder.events)[0])


def test_a_keeper_starts_the_next_run_when_nobody_looks(root: Path) -> None:
    first, second = (queued(root, number, model="missing.gguf") for number in (1, 2))
    start_next(root, cards=list)
    wait_until(lambda: all(run_queue.is_over(folder) for folder in (first, second)))
    assert [state(folder) for folder in (first, second)] == ["failed", "failed"]
    wait_until(lambda: not any(folder.is_alive() for folder in folders(root)))
    run_queue.reap()


def test_a_run_whose_processes_are_gone_is_marked_for_good(root: Path, launched: list[str]) -> None:
    folder = queued(root)
    own = ProcessRecord.of(os.getpid())
    gone = ProcessRecord(pid=own.pid, create_time=own.create_time - 1000)  # the number is another's now
    folder.write_keeper(gone)
    folder.write_process(gone)
    folder.log.write_text("the last line\n")
    EventWriter(folder.events).write(StateEvent(state="training"))
    assert state(folder) == "interrupted"
    look(root)
    last = [event for event in run_events(folder) if isinstance(event, StateEvent)][-1]
    assert last.state == "interrupted"
    assert "no checkpoint was written yet" in last.reason
    assert last.error == "the last line"
    look(root)
    assert len(run_events(folder)) == 2
    assert launched == []


def test_a_run_that_is_being_started_is_not_started_again(root: Path, launched: list[str]) -> None:
    folder = queued(root)
    folder.write_keeper(ProcessRecord.about_to_start())
    look(root)
    assert launched == []
    assert state(folder) == "queued"
    folder.write_keeper(ProcessRecord(pid=0, create_time=time.time() - 3600))
    look(root)
    assert state(folder) == "interrupted"
