"""Several training processes, started by accelerate, with DeepSpeed: two of them on the processor."""

from __future__ import annotations

import importlib.util
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from recsys.llm.adapters import AdapterStore
from recsys.settings import Paths
from tests.training.support import MODEL, make_instruction, make_row, wait_until
from training.config import DpoConfig, SftConfig, TrainingConfig
from training.errors import TrainingConfigError
from training.runs.events import MetricsEvent
from training.runs.launcher import check_launcher, environment, launch_command
from training.runs.store import RunStore

with_deepspeed = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None, reason="needs requirements-distributed.txt"
)
STEPS = 3
COMMON: dict[str, Any] = {
    "model": MODEL,
    "max_steps": STEPS,
    "learning_rate": 1e-3,
    "lora_r": 2,
    "held_out": 0.25,
    "eval_steps": 0,
    "dtype": "fp32",
    "fast_path": False,
    "samples": False,
}


def losses(store: RunStore, run_id: str) -> list[float]:
    events = store.events(run_id)[0]
    return [e.values["loss"] for e in events if isinstance(e, MetricsEvent) and e.split == "train"]


def trained(kind: type[TrainingConfig], name: str, small_home: Path, **changes: Any) -> list[float]:
    """The losses of a run that ends well, and leaves one adapter."""
    make = make_instruction if kind is SftConfig else make_row
    store = RunStore(Paths(small_home).runs)
    run_id = store.start(kind(name=name, **COMMON, **changes), [make(number) for number in range(16)])
    wait_until(lambda: store.get(run_id).is_over)
    status = store.get(run_id)
    assert status.state == "finished", f"{status.reason} {status.error}\n{store.log_tail(run_id, 60)}"
    assert status.adapter == name
    return losses(store, run_id)


@pytest.mark.slow
@pytest.mark.model
@with_deepspeed
@pytest.mark.parametrize(("kind", "zero"), [(SftConfig, "zero2"), (DpoConfig, "zero3")])
def test_two_processes_learn_what_one_does(kind: type[TrainingConfig], zero: str, small_home: Path) -> None:
    """Same rows a step, so the same losses, and one adapter with the same weights but for rounding."""
    alone = trained(kind, f"{zero}-alone", small_home, batch_size=4)
    assert len(alone) == STEPS
    together = trained(kind, f"{zero}-both", small_home, batch_size=2, processes=2, zero=zero)
    # The first step differs by rounding alone; after it Adam has made whole steps of gradients near 0.
    assert together[0] == pytest.approx(alone[0], rel=2e-4)
    assert together == pytest.approx(alone, rel=5e-3)
    store = AdapterStore(Paths(small_home).adapters)
    one, both = (store.get(f"{zero}-{name}", MODEL) for name in ("alone", "both"))
    wanted, found = (load_file(a.folder / "adapter_model.safetensors") for a in (one, both))
    assert found.keys() == wanted.keys()
    distances = [np.abs(found[key] - wanted[key]).max() for key in wanted]
    assert np.median(distances) < 3e-4
    assert both.card.agreement is not None
    assert both.card.agreement.mean_difference < 0.01
    assert both.card.metrics["held_out/loss"] == pytest.approx(one.card.metrics["held_out/loss"], rel=5e-3)


@pytest.mark.slow
@pytest.mark.model
@with_deepspeed
def test_two_processes_stop_together_and_go_on(small_home: Path) -> None:
    store = RunStore(Paths(small_home).runs)
    settings = COMMON | {"max_steps": 200, "save_steps": 10, "batch_size": 2, "epochs": 100, "held_out": 0}
    config = DpoConfig(name="stopped", processes=2, zero="zero2", **settings)
    run_id = store.start(config, [make_row(number) for number in range(8)])
    wait_until(lambda: len(losses(store, run_id)) >= 2 or store.get(run_id).is_over)
    store.stop(run_id, save=True)
    wait_until(lambda: store.get(run_id).is_over)
    status = store.get(run_id)
    assert (status.state, status.adapter) == ("stopped", "stopped"), store.log_tail(run_id, 60)
    done = len(losses(store, run_id))
    assert status.checkpoint == done < 200
    store.resume(run_id)
    wait_until(lambda: len(losses(store, run_id)) >= done + 2 or store.get(run_id).is_over)
    assert store.get(run_id).step == len(losses(store, run_id)) > done, store.log_tail(run_id, 60)
    store.stop(run_id, save=False)
    wait_until(lambda: store.get(run_id).is_over)
    assert store.get(run_id).state == "stopped"


@pytest.mark.slow
@pytest.mark.model
@with_deepspeed
def test_an_error_in_one_of_the_processes_is_told(small_home: Path) -> None:
    """Rows that were fine when the worker read them, and are not when its processes do."""
    store = RunStore(Paths(small_home).runs)
    config = SftConfig(name="broken", processes=2, zero="zero2", **COMMON)
    folder = store.folder(store.start(config, [make_instruction(number) for number in range(8)]))
    wait_until(lambda: store.get(folder.path.name).state == "training")
    folder.data.write_text("not a row\n", encoding="utf-8")
    wait_until(lambda: store.get(folder.path.name).is_over)
    status = store.get(folder.path.name)
    assert status.state == "failed"
    assert "Training in 2 processes failed" in (status.error or "")
    assert "line 1" in (status.error or "")


def test_without_deepspeed_a_run_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TrainingConfigError, match=r"pip install -r requirements-distributed\.txt"):
        check_launcher(SftConfig(zero="zero3"))
    check_launcher(SftConfig(processes=2))


def test_the_launcher_starts_as_many_as_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    command = shlex.join(launch_command(DpoConfig(processes=8, zero="zero3"), Path("/runs/a"), Path("/c-5")))
    assert "--use_deepspeed --num_processes 8" in command
    assert command.endswith("--module training.runs.rank /runs/a /c-5")
    assert "--multi_gpu" in launch_command(DpoConfig(processes=2), Path("/runs/a"), None)
    monkeypatch.setenv("ZEROSHELF_LAUNCH_OPTIONS", "--num_machines 2 --machine_rank 0 --main_process_ip a")
    several = shlex.join(launch_command(DpoConfig(processes=16, zero="zero3"), Path("/runs/a"), None))
    assert "--num_machines 2 --machine_rank 0" in several
    assert "--deepspeed_multinode_launcher standard" in several


def test_processes_share_out_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    config = DpoConfig(processes=2, zero="zero2")
    assert environment(config, on_gpu=False)["OMP_NUM_THREADS"] == "4"
    assert environment(config, on_gpu=False)["DS_ACCELERATOR"] == "cpu"
    assert environment(config, on_gpu=True)["OMP_NUM_THREADS"] == "8"
