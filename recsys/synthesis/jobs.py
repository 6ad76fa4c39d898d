"""Synthesis jobs of one home folder, each a process of its own that outlives page and app.

    store = JobStore(settings)
    name = store.start(config)
    store.progress(name).state

A job's folder holds everything (see `recsys.synthesis.job`); `job.log` is what its process printed.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import psutil
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from recsys.errors import ConflictError, InputError
from recsys.llm.pool import ModelPool
from recsys.settings import Settings
from recsys.synthesis.config import SynthesisConfig, parse_config
from recsys.synthesis.job import Progress
from recsys.synthesis.report import Report
from recsys.synthesis.shards import write_whole

_PROJECT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
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


class JobStore:
    """Jobs by name, newest first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.root = settings.paths.datasets

    def names(self) -> list[str]:
        """All jobs, newest first."""
        return sorted((p.name for p in self.root.iterdir() if _NAME.fullmatch(p.name)), reverse=True)

    def folder(self, name: str) -> Path:
        """Where a job's files are; raises InputError for a name that is no job's."""
        if not _NAME.fullmatch(name) or not (self.root / name).is_dir():
            raise InputError(reason=f"There is no job called {name!r}.")
        return self.root / name

    def start(self, config: SynthesisConfig, name: str = "") -> str:
        """Start a job and return its name; raises ConflictError while another one runs.

        In the folder of the job called `name`, where one is given: what its finished rows have in
        common with the new configuration is kept, all of them where only the number of examples differs.
        A configuration from a page names a model of the app's list, or UnknownModelError is raised.
        """
        if "model" in (config.responses, config.queries):
            ModelPool(self._settings).check_reference(config.teacher.model)
        with FileLock(self.root / ".lock"):
            self._refuse_second()
            if not name:
                name = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
                (self.root / name).mkdir()
            folder = self.folder(name)
            write_whole(folder / "request.json", config.model_dump_json(indent=1).encode())
            self._launch(folder)
        return name

    def resume(self, name: str) -> None:
        """Let a job that stopped go on from its finished rows; nothing happens to one that runs."""
        folder = self.folder(name)
        with FileLock(self.root / ".lock"):
            if self._process(folder) is None:
                self._refuse_second()
                self._launch(folder)

    def stop(self, name: str, *, wait_s: float = 0.0) -> None:
        """Ask a job to end after the rows in work; finished rows stay."""
        folder = self.folder(name)
        process = self._process(folder)
        if process is not None:
            (folder / "stop").touch()  # its process may end before it can say a word
            process.send_signal(signal.SIGTERM)
            psutil.wait_procs([process], timeout=wait_s)

    def running(self) -> str | None:
        """The job that runs, if one does."""
        return next((name for name in self.names() if self._process(self.root / name)), None)

    def progress(self, name: str) -> Progress:
        """How far the job is. One whose process is gone without a word is `failed`."""
        folder = self.folder(name)
        alive = self._process(folder) is not None  # before reading: it may end in between
        try:
            found = Progress.model_validate_json((folder / "progress.json").read_bytes())
        except (OSError, ValidationError):
            found = Progress()
        if found.state == "running" and not alive:
            if (folder / "stop").exists():
                return found.model_copy(update={"state": "stopped", "stage": "stopped"})
            return found.model_copy(update={"state": "failed", "error": self._last_words(folder)})
        return found

    def config(self, name: str) -> SynthesisConfig:
        """What the job was asked; raises InputError where the file is damaged."""
        path = self.folder(name) / "request.json"
        try:
            return SynthesisConfig.model_validate_json(path.read_bytes())
        except OSError as error:
            raise InputError(reason=f"{path.name} of {name} cannot be read: {error.strerror}.") from error
        except ValidationError:
            return parse_config(None, path.name)

    def report(self, name: str) -> Report | None:
        """What the job obtained, once it is done."""
        try:
            return Report.model_validate_json((self.folder(name) / "report.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def files(self, name: str) -> list[Path]:
        """The finished files, for downloading."""
        wanted = ("train.jsonl", "train.parquet", "test.jsonl", "test.parquet", "preference.jsonl")
        folder = self.folder(name)
        return [folder / file for file in (*wanted, "README.md", "report.json") if (folder / file).exists()]

    def prompts(self, name: str) -> Path | None:
        """The file of a finished job's held-out prompts, where it has any."""
        path = self.folder(name) / "preference.jsonl"
        return path if self.report(name) and path.exists() and path.stat().st_size else None

    def _refuse_second(self) -> None:
        other = self.running()
        if other is not None and self.progress(other).state != "running":
            # It has said its last word and its process is about to end.
            process = self._process(self.root / other)
            psutil.wait_procs([process] if process else [], timeout=_LAST_MOMENTS_S)
            other = self.running()
        if other is not None:
            raise ConflictError(reason=f"The job {other} is running. Stop it or wait for its end.")

    def _launch(self, folder: Path) -> None:
        command = [sys.executable, "-m", "recsys", "synthesize", "--config", str(folder / "request.json")]
        command += ["--out", str(folder), "--home", str(self._settings.paths.home)]
        for left in ("progress.json", "stop"):
            (folder / left).unlink(missing_ok=True)
        environment = os.environ | {"PYTHONPATH": str(_PROJECT), "ZEROSHELF_MODEL": self._settings.model}
        with open(folder / "job.log", "wb") as log:
            child = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        _children.append(child)
        record = _Process(pid=child.pid, started=_create_time(child.pid))
        (folder / "process.json").write_text(record.model_dump_json(), encoding="utf-8")

    def _process(self, folder: Path) -> psutil.Process | None:
        _children[:] = [child for child in _children if child.poll() is None]
        try:
            return _Process.model_validate_json((folder / "process.json").read_bytes()).alive()
        except (OSError, ValidationError):
            return None

    def _last_words(self, folder: Path) -> str:
        try:
            text = (folder / "job.log").read_text(encoding="utf-8", errors="replace")[-_LOG_CHARS:]
        except OSError:
            text = ""
        lines = [line for line in text.splitlines() if line.strip()]
        return (
            lines[-1] if lines else "Its process was killed. Run it again: it goes on from what is finished."
        )


def _create_time(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return time.time()
