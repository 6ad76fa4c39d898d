"""Real errors of the libraries, and what a person is told of them."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recsys.errors import DiskFullError, ZeroshelfError
from tests.training.support import MODEL, PROJECT, make_row, write_rows
from training.checkpoints import latest, step_of
from training.config import DpoConfig
from training.errors import BaseConversionError, TrainingMemoryError, UnexpectedTrainingError
from training.events import StateEvent, last_state, read_events
from training.failures import explain
from training.run_folder import RunFolder, RunRecord, new_run_id
from training.run_status import read_status


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
    """A file system with room for 8 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets no file system be mounted")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def new_run(root: Path, home: Path, **changes: object) -> RunFolder:
    """A run's folder as the store makes it, with nobody to start it."""
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    folder = RunFolder(root / new_run_id("dpo", now))
    folder.path.mkdir(parents=True)
    settings = {"max_steps": 8, "epochs": 4, "batch_size": 2, "lora_r": 2, "held_out": 0, "samples": False}
    config = DpoConfig(model=MODEL, **{**settings, "save_steps": 2, **changes})
    folder.config.write_text(config.model_dump_json())
    write_rows(folder.data, [make_row(number) for number in range(8)])
    folder.write_record(
        RunRecord(run_id=folder.path.name, kind="dpo", name="failing", created=now, home=home)
    )
    return folder


def work(folder: RunFolder, before: str = "") -> int:
    """The real worker, after the code `before`, in a process of its own."""
    code = (
        "import sys; from pathlib import Path; from training.worker import run_worker, RunFolder\n"
        f"{before}\nsys.exit(run_worker(RunFolder(Path(sys.argv[1]))))"
    )
    with folder.log.open("ab") as log:
        return subprocess.run(
            [sys.executable, "-c", code, str(folder.path)], cwd=PROJECT, stdout=log, stderr=log, check=False
        ).returncode


@pytest.mark.slow
@pytest.mark.model
def test_a_disk_that_fills_up_ends_the_run_with_a_word_and_a_checkpoint(
    small_disk: Path, home: Path, base_folder: Path
) -> None:
    """A checkpoint of this adapter takes about 2.5 MB; two fit, the third does not."""
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
        "import resource, torch, trl, psutil; import training.samples, training.dpo, training.result\n"
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
def test_a_loss_that_is_no_number_leaves_the_last_good_checkpoint(
    tmp_path: Path, home: Path, base_folder: Path
) -> None:
    folder = new_run(tmp_path / "runs", home)
    spoil = """
import torch
from training import run_callback
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
def test_sigterm_ends_a_run_with_a_word(tmp_path: Path, home: Path, base_folder: Path) -> None:
    """As at a shutdown of the machine: nobody asked the run to stop."""
    folder = new_run(tmp_path / "runs", home)
    send = """
import os, signal
from training import run_callback
from training.processes import end_on_sigterm
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
