from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from recsys import priority
from tests.training.support import PROJECT


def autogroup() -> str:
    """This process's group, such as "/autogroup-12 nice 0"; empty where the kernel has none."""
    file = Path("/proc/self/autogroup")
    return file.read_text(encoding="ascii") if file.exists() else ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these are Linux's own priorities")
def test_a_training_process_steps_back_and_so_does_what_it_starts() -> None:
    code = (
        "import json, os, psutil, subprocess, sys; from recsys.priority import step_back; step_back();"
        "own = psutil.Process(); child = subprocess.run(['nice'], capture_output=True, text=True).stdout;"
        "print(json.dumps([own.nice(), int(own.ionice().ioclass), os.sched_getscheduler(0), int(child)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    nice, io_class, policy, child = json.loads(done.stdout)
    assert nice == child >= 10
    assert io_class == int(psutil.IOPRIO_CLASS_IDLE)
    assert policy in (os.SCHED_BATCH, os.SCHED_OTHER)  # where a container forbids it


@pytest.mark.skipif(not autogroup(), reason="this kernel has no autogroups, or none for this process")
@pytest.mark.parametrize("own_session", [True, False])
def test_a_session_of_its_own_steps_back_as_a_whole(own_session: bool) -> None:
    """Without that its priority counts only among the processes of its own session."""
    code = (
        "from recsys.priority import step_back; step_back();"
        "print(open('/proc/self/autogroup').read().split(maxsplit=1)[1])"
    )
    before = autogroup().split(maxsplit=1)[1].strip()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        start_new_session=own_session,
    )
    assert done.stdout.strip() == ("nice 10" if own_session else before)


@pytest.mark.parametrize(("cpus", "threads"), [(1, "1"), (2, "2"), (4, "3"), (32, "31")])
def test_the_page_keeps_a_processor_where_there_are_several(
    monkeypatch: pytest.MonkeyPatch, cpus: int, threads: str
) -> None:
    monkeypatch.setattr(priority, "usable_cpus", lambda: cpus)
    environment: dict[str, str] = {}
    priority.limit_threads(environment)
    assert environment["OMP_NUM_THREADS"] == threads
    chosen = {"OMP_NUM_THREADS": "7"}
    priority.limit_threads(chosen)
    assert chosen["OMP_NUM_THREADS"] == "7"
