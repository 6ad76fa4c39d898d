"""A whole synthesis job: prepare, write shards until there is enough, put the files together.

<out>/config.json      what was asked
<out>/progress.json    how far it is; replaced as a whole
<out>/work/<id>/       prepared sources and finished shards; a job goes on from them
<out>/train.jsonl, train.parquet, test.*, preference.jsonl, README.md, report.json
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict

from recsys.errors import ConflictError, DiskFullError, InputError
from recsys.files import write_whole
from recsys.settings import Settings
from recsys.synthesis.config import SynthesisConfig
from recsys.synthesis.engines import Engine, Work
from recsys.synthesis.output import write_outputs
from recsys.synthesis.plan import Plan
from recsys.synthesis.prepare import Reading, SourceCard, prepare, source_state
from recsys.synthesis.report import Report
from recsys.synthesis.shards import ShardStore

State = Literal["running", "done", "stopped", "failed"]
Stage = Reading | Literal["starting", "writing rows", "putting the files together", "done", "stopped"]

_TELL_S = 0.5


class Progress(BaseModel):
    """How far a job is. `dataset` is the source in work, where the stage is about one; times are in Unix
    seconds; `rows_read` counts what has been read of the source's file; `eta_s` is None while nothing is
    known."""

    model_config = ConfigDict(extra="forbid")

    state: State = "running"
    stage: Stage = "starting"
    dataset: str = ""
    pid: int = 0
    started: float = 0.0
    updated: float = 0.0
    rows_read: int = 0
    rows_done: int = 0
    rows_total: int = 0
    eta_s: float | None = None
    error: str = ""


class _Stopped(Exception):
    """Ends the reading of a source; an unfinished one is read again."""


class Job:
    """One job in one folder."""

    def __init__(self, config: SynthesisConfig, out: Path, settings: Settings) -> None:
        self.config = config
        self.out = out
        self._settings = settings
        self._progress = Progress(pid=os.getpid(), started=time.time())
        self._said: Callable[[Progress], None] = lambda _: None
        self._begun = 0.0
        self._begun_rows = 0

    def run(
        self,
        engine: Engine,
        *,
        stop: threading.Event | None = None,
        said: Callable[[Progress], None] = lambda _: None,
    ) -> Report | None:
        """Do what is left to do; None when `stop` was set before the end.

        Raises DatasetFileError, DatasetFormatError, InputError, DiskFullError, ConflictError where
        another process works in the folder. What is finished stays in each case.
        """
        stop = stop or threading.Event()
        self._said = said
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            with FileLock(self.out / ".lock", timeout=0):
                report = self._run(engine, stop)
        except Timeout as error:
            raise ConflictError(
                reason=f"Another job is writing to {self.out}. Wait for it or stop it."
            ) from error
        except OSError as error:
            failure = DiskFullError(path=self.out, problem=error.strerror or error)
            self._failed(str(failure))
            raise failure from error
        except KeyboardInterrupt:
            self._tell(state="stopped", stage="stopped")
            raise
        except Exception as error:
            self._failed(str(error))
            raise
        self._tell(state="done" if report else "stopped", stage="done" if report else "stopped")
        return report

    def _run(self, engine: Engine, stop: threading.Event) -> Report | None:
        write_whole(self.out / "config.json", self.config.model_dump_json(indent=1).encode())
        states = [source_state(source) for source in self.config.sources]
        folder = self.out / "work" / self.config.fingerprint(*states)
        cards: dict[str, SourceCard] = {}
        for source in self.config.sources:
            place = folder / "sources" / source.name
            said = partial(self._reading, stop, source.name)
            try:
                cards[source.name] = prepare(source, self.config, place, said)
            except _Stopped:
                return None
        if stop.is_set():
            return None
        if not any(card.rows["train"] for card in cards.values()):
            raise InputError(
                reason="No source has a usable history. Lower min_length or k_core, or give more data."
            )
        store = ShardStore(folder / "shards")
        work = Work(self.config, folder / "sources", self._settings)
        plan = Plan(self.config, cards, store)
        while shards := plan.next_shards():
            rows = plan.rows_done() + sum(s.end - s.begin for s in shards)
            self._tell(stage="writing rows", dataset="", rows_read=0, rows_total=rows)
            self._begun, self._begun_rows = time.time(), plan.rows_done()
            done = plan.rows_done()
            for shard, data in engine.run(work, shards, stop):
                store.save(shard, data)
                done += shard.end - shard.begin
                self._count(done)
            if stop.is_set():
                return None
        self._tell(stage="putting the files together", eta_s=None)
        report = plan.report(folder.name)
        write_outputs(self.out, self.config, report, plan.kept_files())
        return report

    def _reading(self, stop: threading.Event, dataset: str, stage: Reading, read: int) -> None:
        if stop.is_set():
            raise _Stopped
        if read == 0 or time.time() - self._progress.updated > _TELL_S:
            self._tell(stage=stage, dataset=dataset, rows_read=read)

    def _count(self, done: int) -> None:
        rate = (done - self._begun_rows) / max(time.time() - self._begun, 1e-6)
        self._tell(rows_done=done, eta_s=(self._progress.rows_total - done) / rate if rate else None)

    def _failed(self, error: str) -> None:
        try:
            self._tell(state="failed", error=error)
        except (OSError, DiskFullError):  # a full disk takes no message either
            self._said(self._progress)

    def _tell(self, **changes: object) -> None:
        self._progress = self._progress.model_copy(update={**changes, "updated": time.time()})
        self._said(self._progress)
        write_whole(self.out / "progress.json", self._progress.model_dump_json().encode())
