"""The files of one run, and the small protocol between the process that trains and those that watch.

    config.json      the SftConfig or DpoConfig
    rows.jsonl, rows.parquet   one of them: the rows to train on, as they were at the start
    run.json         RunRecord: who asked, when, which home folder
    process.json     ProcessRecord: the worker's process
    events.jsonl     what happened (training.events)
    log.txt          standard output and error of the worker
    stop             "save" or "cancel", written when a stop is wanted
    checkpoints/     the trainer's, the last two
    peft/, adapter.gguf   the adapter before it is published

Small files are replaced as a whole; the event file and the log only grow.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from training.config import Kind

StopRequest = Literal["save", "cancel"]

_RUN_ID = re.compile(r"(sft|dpo)-\d{8}-\d{6}-[0-9a-f]{4}")
_LOG_BYTES = 64 * 1024


class RunRecord(BaseModel):
    """What is known of a run when it is made. `home` is the folder that `recsys.settings` calls so."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    kind: Kind
    name: str
    created: datetime
    home: Path
    request_id: str | None = None


class ProcessRecord(BaseModel):
    """A process; its creation time (Unix seconds) tells it from a later one with the same number."""

    model_config = ConfigDict(frozen=True)

    pid: int
    create_time: float

    @classmethod
    def of(cls, pid: int) -> ProcessRecord:
        """The record of a running process; raises psutil.NoSuchProcess."""
        return cls(pid=pid, create_time=psutil.Process(pid).create_time())

    def is_alive(self) -> bool:
        """Whether this very process still runs. One that ended and was not waited for does not."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.create_time) < 1.0
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def new_run_id(kind: Kind, now: datetime) -> str:
    """`dpo-20261123-221500-1a2b`, the time in UTC."""
    return f"{kind}-{now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def is_run_id(text: str) -> bool:
    """Whether `text` can be a run's id; everything else is never used as a path."""
    return _RUN_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of one run's files, and how they are read and written."""

    path: Path

    @property
    def config(self) -> Path:
        """The SftConfig or DpoConfig."""
        return self.path / "config.json"

    @property
    def data(self) -> Path:
        """The rows to train on."""
        parquet = self.path / "rows.parquet"
        return parquet if parquet.exists() else self.path / "rows.jsonl"

    @property
    def events(self) -> Path:
        """The event file."""
        return self.path / "events.jsonl"

    @property
    def log(self) -> Path:
        """Output of the worker."""
        return self.path / "log.txt"

    @property
    def checkpoints(self) -> Path:
        """The trainer's folder."""
        return self.path / "checkpoints"

    @property
    def peft(self) -> Path:
        """The adapter as PEFT saves it."""
        return self.path / "peft"

    @property
    def gguf(self) -> Path:
        """The adapter as GGUF."""
        return self.path / "adapter.gguf"

    def write_record(self, record: RunRecord) -> None:
        """Store what is known of the run."""
        write_atomically(self.path / "run.json", record.model_dump_json(indent=2))

    def record(self) -> RunRecord | None:
        """What is known of the run; None when the folder is no run."""
        try:
            return RunRecord.model_validate_json((self.path / "run.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def write_process(self, process: ProcessRecord) -> None:
        """Store which process does the work."""
        write_atomically(self.path / "process.json", process.model_dump_json())

    def process(self) -> ProcessRecord | None:
        """The process that does the work; None before it is started."""
        try:
            return ProcessRecord.model_validate_json((self.path / "process.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def request_stop(self, request: StopRequest) -> None:
        """Ask the worker to stop at its next step."""
        write_atomically(self.path / "stop", request)

    def stop_request(self) -> StopRequest | None:
        """What was asked for, if anything. Unreadable content counts as "save", which loses nothing."""
        try:
            text = (self.path / "stop").read_text(encoding="utf-8", errors="replace").strip()
        except FileNotFoundError:
            return None
        return "cancel" if text == "cancel" else "save"

    def log_tail(self, lines: int) -> str:
        """The last lines of the worker's output, at most 64 KiB."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
                text = file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])


def write_atomically(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old content or the new, never half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
