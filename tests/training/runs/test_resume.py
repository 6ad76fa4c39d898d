"""A run that goes on from a checkpoint is the run that it would have been."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from recsys.llm.adapters import AdapterStore
from recsys.settings import Paths
from tests.training.support import MODEL, make_row, new_run, wait_until, work
from training.config import DpoConfig
from training.errors import NotResumableError
from training.runs.checkpoints import latest, step_of
from training.runs.events import MetricsEvent, ResumeEvent, read_events
from training.runs.store import RunStore

pytestmark = [pytest.mark.slow, pytest.mark.model]

ROWS = [make_row(number) for number in range(8)]
STEPS = 40
CONFIG = DpoConfig(
    model=MODEL,
    max_steps=STEPS,
    epochs=30,
    batch_size=2,
    lora_r=2,
    lora_dropout=0.1,  # so that the random numbers have to continue too
    held_out=0,
    save_steps=4,
    dtype="fp32",
    samples=False,
)


@pytest.fixture(scope="module")
def store(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    return RunStore(tmp_path_factory.mktemp("resumed") / "runs", home=small_home)


@pytest.fixture(scope="module")
def uninterrupted(store: RunStore) -> list[float]:
    """The loss of each step of a run that nothing happens to."""
    run_id = store.start(CONFIG, ROWS)
    wait_until(lambda: store.get(run_id).is_over)
    assert store.get(run_id).state == "finished"
    return losses(store, run_id)


def losses(store: RunStore, run_id: str) -> list[float]:
    """Of steps 1, 2, 3, ...: each once, in order."""
    steps = [event for event in store.metrics(run_id) if event.split == "train"]
    assert [event.step for event in steps] == list(range(1, len(steps) + 1))
    return [event.values["loss"] for event in steps]


def worker(store: RunStore, run_id: str) -> int:
    process = store.folder(run_id).process()
    assert process is not None
    return process.pid


def test_after_a_kill_a_run_goes_on_as_if_nothing_had_been(
    store: RunStore, uninterrupted: list[float]
) -> None:
    run_id = store.start(CONFIG, ROWS)
    folder = store.folder(run_id)
    wait_until(lambda: store.get(run_id).step >= 5)
    os.kill(worker(store, run_id), signal.SIGKILL)
    wait_until(lambda: store.get(run_id).is_over)
    status = store.get(run_id)
    assert status.state == "interrupted"
    assert "SIGKILL" in status.reason
    assert status.checkpoint is not None
    assert status.checkpoint >= 4

    # As if the kill had come while the next checkpoint was being written.
    whole = latest(folder.checkpoints)
    assert whole is not None
    half = folder.checkpoints / f"checkpoint-{step_of(whole) + 1}"
    shutil.copytree(
        whole, half, ignore=shutil.ignore_patterns("seal.json", "optimizer.pt"), dirs_exist_ok=True
    )

    assert store.resume(run_id).state in ("queued", "preparing")
    wait_until(lambda: store.get(run_id).is_over)
    assert store.get(run_id).state == "finished"
    (resumed,) = [e for e in read_events(folder.events)[0] if isinstance(e, ResumeEvent)]
    assert resumed.step == step_of(whole)
    assert losses(store, run_id) == pytest.approx(uninterrupted, rel=1e-4)
    steps = [e.step for e in read_events(folder.events)[0] if isinstance(e, MetricsEvent)]
    assert len(steps) > STEPS, "the file itself only grows"
    with pytest.raises(NotResumableError):
        store.resume(run_id)


def test_after_stop_and_save_a_run_goes_on_where_it_stopped(
    store: RunStore, uninterrupted: list[float]
) -> None:
    run_id = store.start(CONFIG, ROWS)
    wait_until(lambda: store.get(run_id).step >= 3)
    store.stop(run_id, save=True)
    wait_until(lambda: store.get(run_id).is_over)
    stopped = store.get(run_id)
    assert stopped.state == "stopped"
    assert stopped.checkpoint == stopped.step < STEPS
    assert stopped.adapter is not None

    store.resume(run_id)
    wait_until(lambda: store.get(run_id).is_over)
    finished = store.get(run_id)
    assert finished.state == "finished"
    assert losses(store, run_id) == pytest.approx(uninterrupted, rel=1e-4)
    assert finished.adapter is not None
    found = AdapterStore(Paths(store.home).adapters)
    first, second = (
        load_file(found.get(name).folder / "adapter_model.safetensors")
        for name in (stopped.adapter, finished.adapter)
    )
    assert any((first[key] != second[key]).any() for key in first)
    curve = found.get(finished.adapter).card.curves["loss"]
    assert [step for step, _ in curve] == list(range(1, STEPS + 1))


def test_a_run_that_failed_after_its_last_step_takes_no_more_of_them(store: RunStore) -> None:
    folder = new_run(store.root, store.home, max_steps=2)
    broken = (
        "from training.runs import worker\n"
        "def fail(*_): raise ValueError('broken')\nworker._Work._export = fail"
    )
    assert work(folder, broken) == 1
    run_id = folder.path.name
    failed = store.get(run_id)
    assert (failed.state, failed.checkpoint) == ("failed", 2)
    assert "ValueError: broken" in (failed.error or "")
    before = losses(store, run_id)
    store.resume(run_id)
    wait_until(lambda: store.get(run_id).is_over)
    finished = store.get(run_id)
    assert finished.state == "finished"
    assert finished.adapter is not None
    assert losses(store, run_id) == before
