from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.errors import InputError, UnknownModelError
from recsys.llm.adapters import AdapterStore
from recsys.settings import Paths
from tests.training.support import MODEL, FinishedRun, make_row, wait_until
from training.config import DpoConfig
from training.errors import NotEnoughPairsError, RunInProgressError, UnknownRunError
from training.run_folder import ProcessRecord, RunFolder, RunRecord, new_run_id
from training.runs import RunStore

ROWS = [make_row(number) for number in range(8)]
LONG = DpoConfig(model=MODEL, epochs=100, batch_size=1, lora_r=2, held_out=0)


@pytest.fixture
def store(home: Path, tmp_path: Path) -> RunStore:
    """No runs, and models that are ready."""
    return RunStore(tmp_path / "runs", home=home)


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
def test_a_killed_run_is_shown_as_interrupted_and_a_second_start_refused(store: RunStore) -> None:
    run_id = store.start(LONG, ROWS, request_id="once")
    assert store.start(LONG, ROWS, request_id="once") == run_id
    with pytest.raises(RunInProgressError, match=run_id) as caught:
        store.start(LONG, ROWS)
    assert caught.value.exit_code == 4
    wait_until(lambda: "Loading PyTorch" in store.log_tail(run_id))
    assert store.get(run_id).state == "preparing"

    process = RunFolder(store.root / run_id).process()
    assert process is not None
    assert os.getsid(process.pid) != os.getsid(0)
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: store.get(run_id).is_over, seconds=10)
    status = RunStore(store.root, home=store.home).get(run_id)
    assert status.state == "interrupted"
    assert "Loading PyTorch" in (status.error or "")
    assert store.running() is None
    assert store.start(LONG, ROWS, request_id="once") == run_id


def test_a_run_whose_number_belongs_to_another_process_is_interrupted(store: RunStore) -> None:
    now = datetime.now(UTC)
    run_id = new_run_id("dpo", now)
    folder = RunFolder(store.root / run_id)
    folder.path.mkdir(parents=True)
    folder.write_record(RunRecord(run_id=run_id, kind="dpo", name="x", created=now, home=store.home))
    assert store.get(run_id).state == "queued"  # its process is just being started
    own = ProcessRecord.of(os.getpid())
    folder.write_process(own)
    assert store.get(run_id).state == "queued"
    folder.write_process(ProcessRecord(pid=own.pid, create_time=own.create_time - 1000))
    assert store.get(run_id).state == "interrupted"


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize("save", [True, False])
def test_a_stopped_run_keeps_what_it_learnt_or_not(
    store: RunStore, home: Path, base_folder: Path, save: bool
) -> None:
    before = adapters(home)
    run_id = store.start(LONG, ROWS)
    wait_until(lambda: store.get(run_id).step > 0)
    assert store.stop(run_id, save=save).state == "stopping"
    wait_until(lambda: store.get(run_id).is_over)
    status = store.get(run_id)
    assert status.state == "stopped"
    assert 0 < status.step < status.steps
    assert (status.adapter is not None) is save
    assert adapters(home) - before == ({status.adapter} if save else set())
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
    from training.publish import publish_adapter

    adapter = finished.adapter
    card, folder = publish_adapter(Paths(home).adapters, adapter.folder, adapter.gguf, adapter.card)
    assert (card.name, folder.name) == ("tuned-2", "tuned-2")
    assert AdapterStore(Paths(home).adapters).get("tuned-2").card == card


def test_a_broken_run_folder_fails_with_a_reason(store: RunStore, tmp_path: Path) -> None:
    from training.events import StateEvent, read_events
    from training.worker import run_worker

    assert run_worker(RunFolder(tmp_path)) == 1
    (event,) = read_events(tmp_path / "events.jsonl")[0]
    assert isinstance(event, StateEvent)
    assert event.state == "failed"
    assert "not the folder of a run" in (event.error or "")
