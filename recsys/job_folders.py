"""Folders of jobs, each with a process of its own that outlives page and app.

`process.json` in a job's folder names its process, `job.log` has what it printed, and `stop` is there once
it was asked to end. What else is in the folder is the job's own affair.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from recsys.errors import ConflictError, InputError

_PROJECT = Path(__file__).resolve().parents[1]
_LOG_CHARS = 4_000
_LAST_MOMENTS_S = 10.0

_children: list[subprocess.Popen[bytes]] = []
"""Processes started from here; polled so that an ended one does not stay as a zombie."""


class _Process(BaseModel):
    model_config = ConfigDict(frozen=True)

    pid: int
    started: float

    def alive(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 2.0
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


class JobFolders:
    """The jobs under `root` whose names match `pattern`. One runs at a time."""

    def __init__(self, root: Path, pattern: re.Pattern[str], what: str) -> None:
        self.root = root
        self._pattern = pattern
        self._what = what
        self.lock = FileLock(root / ".lock")
        """Held while a job is made or started."""

    def names(self) -> list[str]:
        """All jobs, newest first."""
        return sorted((p.name for p in self.root.iterdir() if self._pattern.fullmatch(p.name)), reverse=True)

    def folder(self, name: str) -> Path:
        """Where a job's files are; raises InputError for a name that is no job's."""
        if not self._pattern.fullmatch(name) or not (self.root / name).is_dir():
            raise InputError(reason=f"There is no {self._what} called {name!r}.")
        return self.root / name

    def running(self) -> str | None:
        """The job that runs, if one does."""
        return next((name for name in self.names() if self.process(self.root / name)), None)

    def refuse_second(self, at_work: Callable[[str], bool]) -> None:
        """Raise ConflictError while another job runs; one that is not `at_work` is about to end."""
        other = self.running()
        if other is not None and not at_work(other):
            process = self.process(self.root / other)
            psutil.wait_procs([process] if process else [], timeout=_LAST_MOMENTS_S)
            other = self.running()
        if other is not None:
            raise ConflictError(reason=f"The {self._what} {other} is running. Stop it or wait for its end.")

    def launch(self, folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start `command` in a session of its own as the process of the job in `folder`."""
        (folder / "stop").unlink(missing_ok=True)
        with open(folder / "job.log", "wb") as log:
            child = subprocess.Popen(
                list(command),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONPATH": str(_PROJECT)} | dict(environment),
                start_new_session=True,
            )
        _children.append(child)
        record = _Process(pid=child.pid, started=_create_time(child.pid))
        (folder / "process.json").write_text(record.model_dump_json(), encoding="utf-8")

    def process(self, folder: Path) -> psutil.Process | None:
        """The process of the job in `folder` while it lives."""
        _children[:] = [child for child in _children if child.poll() is None]
        try:
            return _Process.model_validate_json((folder / "process.json").read_bytes()).alive()
        except (OSError, ValidationError):
            return None

    def stop(self, folder: Path, wait_s: float) -> None:
        """Ask the process to end, and wait for that as long as `wait_s`."""
        process = self.process(folder)
        if process is not None:
            (folder / "stop").touch()  # its process may end before it can say a word
            process.send_signal(signal.SIGTERM)
            psutil.wait_procs([process], timeout=wait_s)

    def asked_to_stop(self, folder: Path) -> bool:
        """Whether somebody asked it to end since it was started."""
        return (folder / "stop").exists()

    def last_words(self, folder: Path) -> str:
        """The last line that the process printed, or ""."""
        try:
            text = (folder / "job.log").read_text(encoding="utf-8", errors="replace")[-_LOG_CHARS:]
        except OSError:
            return ""
        lines = [line for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else ""


def _create_time(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return time.time()
