"""Real errors of the libraries, and what a person is told of them."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recsys.errors import DiskFullError, ZeroshelfError
from tests.training.support import new_run, work
from training.errors import BaseConversionError, TrainingMemoryError, UnexpectedTrainingError
from training.runs.checkpoints import latest, step_of
from training.runs.events import StateEvent, last_state, read_events
from training.runs.failures import explain
from training.runs.status import read_status


def raised(action: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        action()
    return caught.value


def torch_without_memory() -> None:
    import torch

    torch.empty(1 << 50)


def a_full_disk() -> None:
    with open("/dev/full", "wb", buffering=0) as file:
        file.write(b"x")


def torch_on_a_full_disk() -> None:
    import torch

    torch.save(torch.zeros(1 << 20), "/dev/full")


@pytest.mark.parametrize("action", [lambda: bytearray(1 << 60), torch_without_memory])
def test_memory_that_runs_out_is_named_with_a_cure(action: Callable[[], object], tmp_path: Path) -> None:
    found = explain(raised(action), tmp_path)
    assert isinstance(found, TrainingMemoryError)
    assert "batch_size" in str(found)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is a device of Linux")
@pytest.mark.parametrize("action", [a_full_disk, torch_on_a_full_disk])
def test_a_full_disk_is_named_with_a_cure(action: Callable[[], object], tmp_path: Path) -> None:
    found = explain(raised(action), tmp_path)
    assert isinstance(found, DiskFullError)
    assert str(tmp_path) in str(found)


def test_the_cause_behind_an_error_counts(tmp_path: Path) -> None:
    def convert() -> None:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise BaseConversionError(path="model.gguf", problem="it failed") from error

    assert isinstance(explain(raised(convert), tmp_path), DiskFullError)


def test_other_errors_are_told_as_they_are(tmp_path: Path) -> None:
    known = BaseConversionError(path="model.gguf", problem="it failed")
    assert explain(known, tmp_path) is known
    unknown: ZeroshelfError = explain(ValueError("odd\nsecond line"), tmp_path)
    assert isinstance(unknown, UnexpectedTrainingError)
    assert "ValueError: odd" in str(unknown)
    assert "second line" not in str(unknown)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for 30 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets no file system be mounted")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
@pytest.mark.model
def test_a_disk_that_fills_up_ends_the_run_with_a_word_and_a_checkpoint(
    small_disk: Path, home: Path, base_folder: Path
) -> None:
    """A checkpoint of this adapter takes about 11 MB; two fit, the third does not."""
    folder = new_run(small_disk, home, lora_r=2)
    assert work(folder) == 1
    state = last_state(folder.events)
    assert state.state == "failed", read_events(folder.events)
    assert "Nothing can be written to" in (state.error or "")
    assert "Make room" in (state.error or "")
    whole = latest(folder.checkpoints)
    assert whole is not None
    assert step_of(whole) >= 2
    status = read_status(folder)
    assert status is not None
    assert status.checkpoint == step_of(whole)


@pytest.mark.slow
@pytest.mark.model
def test_a_run_without_memory_says_so(tmp_path: Path, home: Path, base_folder: Path) -> None:
    folder = new_run(tmp_path / "runs", home)
    limit = (
        "import resource, torch, trl, psutil; import training.trainer.dpo\n"
        "import training.trainer.samples, training.trainer.result\n"
        "now = psutil.Process().memory_info().vms\n"
        "resource.setrlimit(resource.RLIMIT_AS, (now + (400 << 20), now + (400 << 20)))"
    )
    assert work(folder, limit) == 1
    state = last_state(folder.events)
    assert state.state == "failed"
    assert "Memory ran out" in (state.error or ""), state.error
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


@pytest.mark.slow
@pytest.mark.model
def test_a_loss_that_is_no_number_leaves_the_last_good_checkpoint(tmp_path: Path, small_home: Path) -> None:
    folder = new_run(tmp_path / "runs", small_home)
    spoil = """
import torch
from training.trainer import run_callback
begin = run_callback.RunCallback.on_step_end
def on_step_end(self, args, state, control, **kwargs):
    begin(self, args, state, control, **kwargs)
    if state.global_step == 5:
        with torch.no_grad():
            for weight in kwargs["model"].parameters():
                if weight.requires_grad:
                    weight.fill_(float("nan"))
run_callback.RunCallback.on_step_end = on_step_end
"""
    assert work(folder, spoil) == 1
    state = last_state(folder.events)
    assert state.state == "failed"
    assert "At step 6 the loss stopped being a number" in (state.error or "")
    assert "Lower the learning rate" in (state.error or "")
    whole = latest(folder.checkpoints)
    assert whole is not None
    assert step_of(whole) == 4


@pytest.mark.slow
@pytest.mark.model
def test_sigterm_ends_a_run_with_a_word(tmp_path: Path, small_home: Path) -> None:
    """As at a shutdown of the machine: nobody asked the run to stop."""
    folder = new_run(tmp_path / "runs", small_home)
    send = """
import os, signal
from training.trainer import run_callback
from training.runs.processes import end_on_sigterm
end_on_sigterm()
begin = run_callback.RunCallback.on_step_end
def on_step_end(self, args, state, control, **kwargs):
    begin(self, args, state, control, **kwargs)
    if state.global_step == 3:
        os.kill(os.getpid(), signal.SIGTERM)
run_callback.RunCallback.on_step_end = on_step_end
"""
    assert work(folder, send) == 1
    state = last_state(folder.events)
    assert state.state == "interrupted"
    assert "SIGTERM" in state.reason
    assert "the checkpoint after step 2 is kept" in state.reason
    assert [e.state for e in read_events(folder.events)[0] if isinstance(e, StateEvent)].count("failed") == 0
