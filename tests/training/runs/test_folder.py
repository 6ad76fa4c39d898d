from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from training.runs.folder import RunFolder, is_run_id, new_run_id
from training.runs.processes import ProcessRecord


def test_new_run_ids_are_run_ids() -> None:
    assert is_run_id(new_run_id("dpo", datetime.now(UTC)))


@pytest.mark.parametrize(
    "text", ["", "..", "../dpo-20261123-221500-1a2b", "dpo-20261123-221500-1a2b/..", "dpo-1\n", "/etc/passwd"]
)
def test_paths_are_no_run_ids(text: str) -> None:
    assert not is_run_id(text)


def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    own = ProcessRecord.of(os.getpid())
    assert own.is_alive()
    assert not ProcessRecord(pid=own.pid, create_time=own.create_time - 100).is_alive()


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    record = ProcessRecord.of(child.pid)
    assert record.is_alive()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended and is not reaped
    assert not record.is_alive()
    child.communicate()


def test_a_process_that_is_being_started_counts_as_alive_for_a_while() -> None:
    record = ProcessRecord.about_to_start((1,))
    assert record.is_alive()
    assert not record.model_copy(update={"create_time": record.create_time - 3600}).is_alive()
    record.send(signal.SIGKILL)  # to process 0 would be to this test's own group


def test_a_process_can_be_waited_for_and_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    ProcessRecord.of(child.pid).end(patience_s=0)
    assert child.wait() == -signal.SIGKILL
    child.communicate()


def test_log_tail_gives_the_last_lines(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.log_tail(3) == ""
    folder.log.write_text("".join(f"줄 {n}\n" for n in range(50_000)), encoding="utf-8")
    assert folder.log_tail(2) == "줄 49998\n줄 49999"
