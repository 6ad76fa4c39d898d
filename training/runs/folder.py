"""The files of one run, and the small protocol between the process that trains and those that watch.

    config.json      the SftConfig or DpoConfig
    rows.jsonl, rows.parquet   one of them: the rows to train on, as they were at the start
    run.json         RunRecord: who asked, when, which home folder
    keeper.json      ProcessRecord: the small process that starts the worker and waits for its end
    process.json     ProcessRecord: the worker's process
    events.jsonl     what happened (training.runs.events)
    log.txt          standard output and error of the worker
    stop             "save" or "cancel", written when a stop is wanted
    terminated       touched when the worker was told to end because it did not answer
    beat             touched by the worker while it trains
    checkpoints/     the trainer's, the last two, each with its seal (training.runs.checkpoints)
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

from pydantic import BaseModel, ConfigDict, ValidationError

from training.config import Kind
from training.runs.processes import ProcessRecord

StopRequest = Literal["save", "cancel"]

_RUN_ID = re.compile(r"(sft|dpo)-\d{8}-\d{6}-[0-9a-f]{4}")
_LOG_BYTES = 64 * 1024
_WORKER, _KEEPER = "process.json", "keeper.json"
_STOP, _TERMINATED, _BEAT = "stop", "terminated", "beat"


class Patience(BaseModel):
    """Seconds that a process which was asked to stop is given.

    `cancel`: until it ends, where nothing is to be kept. `save`: without a sign of life, where an adapter
    is to come out (three steps, if they take longer). `end`: after SIGTERM, until SIGKILL.
    """

    model_config = ConfigDict(frozen=True)

    cancel: float = 20.0
    save: float = 300.0
    end: float = 15.0


class RunRecord(BaseModel):
    """What is known of a run when it is made. `home` is the folder that `recsys.settings` calls so;
    relative paths of the config start in `cwd`."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    kind: Kind
    name: str
    created: datetime
    home: Path
    cwd: Path | None = None
    request_id: str | None = None
    patience: Patience = Patience()


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
        write_atomically(self.path / _WORKER, process.model_dump_json())

    def process(self) -> ProcessRecord | None:
        """The process that does the work; None before it is started."""
        return self._process(_WORKER)

    def write_keeper(self, process: ProcessRecord) -> None:
        """Store which process looks after the worker."""
        write_atomically(self.path / _KEEPER, process.model_dump_json())

    def keeper(self) -> ProcessRecord | None:
        """The process that looks after the worker; None before the run's turn has come."""
        return self._process(_KEEPER)

    def is_alive(self) -> bool:
        """Whether a process works on the run."""
        return any(process is not None and process.is_alive() for process in (self.keeper(), self.process()))

    def has_been_launched(self) -> bool:
        """Whether the run's turn has come; otherwise it waits in the queue."""
        return (self.path / _KEEPER).exists() or (self.path / _WORKER).exists()

    def forget_processes(self) -> None:
        """Make the run one whose turn has not come, and that nobody asked to stop."""
        for name in (_KEEPER, _WORKER, _STOP, _TERMINATED, _BEAT):
            (self.path / name).unlink(missing_ok=True)

    def _process(self, name: str) -> ProcessRecord | None:
        try:
            return ProcessRecord.model_validate_json((self.path / name).read_bytes())
        except (OSError, ValidationError):
            return None

    def request_stop(self, request: StopRequest) -> None:
        """Ask the worker to stop at its next step. Asking twice does not give it more time."""
        if self.stop_request() != request:
            write_atomically(self.path / _STOP, request)

    def stop_requested_at(self) -> float | None:
        """When the stop was asked for, in Unix seconds."""
        return _mtime(self.path / _STOP)

    def mark_terminated(self) -> None:
        """Remember that the worker was told to end because it did not answer."""
        (self.path / _TERMINATED).touch()

    def terminated_at(self) -> float | None:
        """When that was, in Unix seconds."""
        return _mtime(self.path / _TERMINATED)

    def beat(self) -> None:
        """A sign of life from the worker."""
        (self.path / _BEAT).touch()

    def last_sign_of_life(self) -> float:
        """When the worker was heard of last, in Unix seconds; 0 when never."""
        paths = (self.path / _BEAT, self.events, self.log)
        return max(filter(None, map(_mtime, paths)), default=0.0)

    def stop_request(self) -> StopRequest | None:
        """What was asked for, if anything. Unreadable content counts as "save", which loses nothing."""
        try:
            text = (self.path / _STOP).read_text(encoding="utf-8", errors="replace").strip()
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


def write_atomically(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a small file so that a reader sees the old content or the new, never half of it.

    A `durable` one is on the disk when this returns, and survives a loss of power.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _mtime(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None
