from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.errors import InputError, UnknownModelError
from recsys.llm.adapters import AdapterStore
from recsys.settings import Paths
from tests.training.support import MODEL, PROJECT, FinishedRun, make_row, wait_until, write_rows
from training.config import DpoConfig
from training.errors import NotEnoughPairsError, NotResumableError, UnknownRunError
from training.runs.events import EventWriter, StateEvent
from training.runs.folder import Patience, RunFolder, RunRecord, new_run_id
from training.runs.store import RunStore

ROWS = [make_row(number) for number in range(8)]
LONG = DpoConfig(model=MODEL, epochs=100, batch_size=1, lora_r=2, held_out=0, samples=False)


@pytest.fixture
def store(small_home: Path, tmp_path: Path) -> RunStore:
    """No runs, and models that are ready."""
    return RunStore(tmp_path / "runs", home=small_home)


def adapters(home: Path) -> set[str]:
    return {adapter.card.name for adapter in AdapterStore(Paths(home).adapters).list()}


@pytest.mark.parametrize("run_id", ["..", "../adapters", "/etc", "", "dpo-20261123-221500-1a2b"])
def test_an_unknown_or_path_like_id_is_refused(store: RunStore, run_id: str) -> None:
    for ask in (store.get, store.metrics, store.log_tail, store.events):
        with pytest.raises(UnknownRunError):
            ask(run_id)
    with pytest.raises(UnknownRunError):
        store.stop(run_id, save=True)


def test_start_refuses_bad_input_and_leaves_nothing(store: RunStore) -> None:
    with pytest.raises(UnknownModelError):
        store.start(DpoConfig(model="no-such-model"), ROWS)
    for rows in ([], ROWS[:1]):
        with pytest.raises(NotEnoughPairsError):
            store.start(LONG, rows)
    with pytest.raises(InputError, match="request_id"):
        store.start(LONG, ROWS, request_id="")
    assert store.list() == []


@pytest.mark.slow
def test_a_second_run_waits_and_comes_when_the_first_was_killed(store: RunStore) -> None:
    """The first is killed as the system does it, and nobody looks: its keeper starts the second."""
    run_id = store.start(LONG, ROWS, request_id="once")
    assert store.start(LONG, ROWS, request_id="once") == run_id
    second, third = store.start(LONG, ROWS), store.start(LONG, ROWS)
    wait_until(lambda: "Loading PyTorch" in store.log_tail(run_id))
    assert [store.get(name).state for name in (run_id, second, third)] == ["preparing", "queued", "queued"]
    assert "waits" in store.get(second).reason
    running = store.running()
    assert running is not None
    assert running.run_id == run_id
    assert store.stop(third, save=True).reason == "taken out of the queue"

    process = store.folder(run_id).process()
    assert process is not None
    assert os.getsid(process.pid) != os.getsid(0)
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: store.folder(second).process() is not None)
    status = RunStore(store.root, home=store.home).get(run_id)
    assert status.state == "interrupted"
    assert "SIGKILL" in status.reason
    assert "Loading PyTorch" in (status.error or "")
    assert store.start(LONG, ROWS, request_id="once") == run_id

    store.stop(second, save=False)
    wait_until(lambda: store.running() is None)
    assert store.get(third).state == "stopped"
    assert store.folder(third).process() is None


@pytest.mark.slow
def test_a_run_survives_the_app_that_started_it_and_its_keeper(store: RunStore) -> None:
    """Both are killed; the next look finds the run, and deals with it when it does not answer."""
    patient = RunStore(store.root, home=store.home, patience=Patience(cancel=0, save=0, end=0))
    code = (
        "import pathlib, sys, time; from training.config import DpoConfig\n"
        "from training.runs.folder import Patience; from training.runs.store import RunStore\n"
        "root, home, rows = map(pathlib.Path, sys.argv[1:])\n"
        "store = RunStore(root, home=home, patience=Patience(cancel=0, end=0))\n"
        f"print(store.start(DpoConfig(model={MODEL!r}, epochs=100), rows), flush=True); time.sleep(600)"
    )
    rows = write_rows(store.root.parent / "rows.jsonl", ROWS)
    command = [sys.executable, "-c", code, str(store.root), str(store.home), str(rows)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout is not None
        run_id = app.stdout.readline().strip()
        app.kill()
    wait_until(lambda: patient.folder(run_id).process() is not None)
    keeper, worker = patient.folder(run_id).keeper(), patient.folder(run_id).process()
    assert keeper is not None
    assert worker is not None
    os.kill(keeper.pid, signal.SIGKILL)
    wait_until(lambda: not keeper.is_alive())
    assert not patient.get(run_id).is_over

    os.kill(worker.pid, signal.SIGSTOP)
    assert patient.stop(run_id, save=False).state in ("stopping", "stopped")
    wait_until(lambda: patient.get(run_id).is_over)
    assert not worker.is_alive()
    assert patient.get(run_id).state == "stopped"


def test_a_run_that_has_finished_is_not_resumed(store: RunStore) -> None:
    now = datetime.now(UTC)
    folder = RunFolder(store.root / new_run_id("dpo", now))
    folder.path.mkdir(parents=True)
    folder.write_record(
        RunRecord(run_id=folder.path.name, kind="dpo", name="x", created=now, home=store.home)
    )
    EventWriter(folder.events).write(StateEvent(state="finished"))
    with pytest.raises(NotResumableError, match="is finished"):
        store.resume(folder.path.name)


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize("save", [True, False])
def test_a_stopped_run_keeps_what_it_learnt_or_not(store: RunStore, small_home: Path, save: bool) -> None:
    before = adapters(small_home)
    run_id = store.start(LONG, ROWS)
    wait_until(lambda: store.get(run_id).step > 0)
    assert store.stop(run_id, save=save).state == "stopping"
    wait_until(lambda: store.get(run_id).is_over)
    status = store.get(run_id)
    assert status.state == "stopped"
    assert 0 < status.step < status.steps
    assert (status.adapter is not None) is save
    assert status.checkpoint == (status.step if save else None)
    assert adapters(small_home) - before == ({status.adapter} if save else set())
    assert store.stop(run_id, save=True) == status


@pytest.mark.slow
@pytest.mark.model
def test_a_finished_run_shows_its_adapter(finished: FinishedRun) -> None:
    assert finished.status.adapter == "tuned"
    assert finished.status.error is None
    assert finished.status.is_over
    assert finished.store.get(finished.status.run_id) == finished.status
    assert "Writing the adapter" in finished.store.log_tail(finished.status.run_id)


@pytest.mark.slow
@pytest.mark.model
def test_a_name_that_is_taken_gets_a_number(finished: FinishedRun, home: Path) -> None:
    from training.adapters.publish import publish_adapter

    adapter = finished.adapter
    card, folder = publish_adapter(Paths(home).adapters, adapter.folder, adapter.gguf, adapter.card)
    assert (card.name, folder.name) == ("tuned-2", "tuned-2")
    assert AdapterStore(Paths(home).adapters).get("tuned-2").card == card


def test_a_broken_run_folder_fails_with_a_reason(store: RunStore, tmp_path: Path) -> None:
    from training.runs.events import read_events
    from training.runs.worker import run_worker

    assert run_worker(RunFolder(tmp_path)) == 1
    (event,) = read_events(tmp_path / "events.jsonl")[0]
    assert isinstance(event, StateEvent)
    assert event.state == "failed"
    assert "not the folder of a run" in (event.error or "")
