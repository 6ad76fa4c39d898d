"""The runs of one home folder: start, look at, stop. All state is on disk.

A run belongs to no process but its own. Whoever opens the folder sees the same: the app, a second
app, the command line, the app after a restart.

    store = RunStore(settings.paths.runs)
    run_id = store.start(DpoConfig(model="smollm2-135m-instruct"), Path("pairs.jsonl"))
    store.get(run_id).state
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock
from pydantic import BaseModel, ConfigDict

from recsys.errors import InputError
from recsys.llm.adapters import AdapterStore
from recsys.llm.registry import load_spec
from training.config import TrainingConfig, read_config
from training.errors import RunInProgressError, UnknownRunError
from training.events import FINAL_STATES, AdapterEvent, Event, MetricsEvent, RunState, StateEvent, read_events
from training.instruction_data import check_instructions, parse_instructions, read_instructions
from training.naming import default_adapter_name
from training.pairs_data import parse_pairs, read_pairs, usable_pairs
from training.rows_file import is_parquet
from training.run_folder import ProcessRecord, RunFolder, RunRecord, is_run_id, new_run_id

Rows = Sequence[Mapping[str, object]]
"""Rows to train on: TRL's conversational preference format for DPO, messages for SFT."""

# Inside the class `list` is a method.
_Folders = list[RunFolder]
_Events = list[Event]
_Metrics = list[MetricsEvent]

_PROJECT = Path(__file__).resolve().parent.parent
_STARTING_S = 30.0
_LOG_LINES = 20

_children: list[subprocess.Popen[bytes]] = []
"""Workers started from this process; polled so that an ended one does not stay as a zombie."""


class RunStatus(BaseModel):
    """What a person wants to know of a run. `metrics` holds the latest training numbers."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    kind: str
    name: str
    state: RunState
    reason: str = ""
    step: int = 0
    steps: int = 0
    eta_s: float | None = None
    metrics: dict[str, float] = {}
    adapter: str | None = None
    error: str | None = None
    created: datetime

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in FINAL_STATES


class RunStore:
    """Runs under the folder `root`; `home` is where models and adapters lie (default: its parent)."""

    def __init__(self, root: Path, home: Path | None = None) -> None:
        self.root = root.resolve()
        self.home = (home or root.parent).resolve()

    def start(
        self,
        config: TrainingConfig,
        data: Path | Rows,
        request_id: str | None = None,
    ) -> str:
        """Start a run in a process of its own and return its id.

        `data` is a JSON Lines or Parquet file, or rows. The same `request_id` gives the same run, so a
        request can be repeated. Raises UnknownModelError, ModelFileError, UnknownAdapterError,
        RowsFileError, NotEnoughPairsError, NotEnoughRowsError, and RunInProgressError while another
        run is alive.
        """
        if request_id is not None and not (isinstance(request_id, str) and 0 < len(request_id) <= 200):
            raise InputError(reason="A request_id is a text of 1 to 200 characters.")
        spec = load_spec(config.model)
        if config.parent is not None:
            AdapterStore(self.home / "adapters").get(config.parent, spec.name)
        _check_data(config, data)
        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / ".lock"):
            for known in self._folders():
                record = known.record()
                if request_id is not None and record is not None and record.request_id == request_id:
                    return record.run_id
            if (running := self.running()) is not None:
                raise RunInProgressError(run_id=running.run_id)
            folder = self._create(config, data, request_id)
            self._launch(folder)
            return folder.path.name

    def running(self) -> RunStatus | None:
        """The run that is alive, if there is one."""
        return next((status for status in self.list() if not status.is_over), None)

    def list(self) -> list[RunStatus]:
        """All runs, newest first."""
        statuses = [self._status(folder) for folder in self._folders()]
        found = [status for status in statuses if status is not None]
        return sorted(found, key=lambda status: status.created, reverse=True)

    def get(self, run_id: str) -> RunStatus:
        """One run; raises UnknownRunError."""
        if (status := self._status(self.folder(run_id))) is None:
            raise UnknownRunError(run_id=run_id)
        return status

    def folder(self, run_id: str) -> RunFolder:
        """Where a run's files are; raises UnknownRunError, also for what cannot be an id."""
        if not is_run_id(run_id) or not (self.root / run_id).is_dir():
            raise UnknownRunError(run_id=run_id)
        return RunFolder(self.root / run_id)

    def config(self, run_id: str) -> TrainingConfig:
        """The settings of a run; raises UnknownRunError."""
        return read_config(self.get(run_id).kind, self.folder(run_id).config.read_bytes())

    def metrics(self, run_id: str) -> _Metrics:
        """The numbers of every step so far; raises UnknownRunError."""
        events, _ = read_events(self.folder(run_id).events)
        return [event for event in events if isinstance(event, MetricsEvent)]

    def events(self, run_id: str, offset: int = 0) -> tuple[_Events, int]:
        """Events from a byte offset on, and the next offset; raises UnknownRunError."""
        return read_events(self.folder(run_id).events, offset)

    def log_tail(self, run_id: str, lines: int = 100) -> str:
        """The last lines of the worker's output; raises UnknownRunError."""
        return self.folder(run_id).log_tail(lines)

    def stop(self, run_id: str, save: bool) -> RunStatus:
        """Ask a run to stop after its current step, with its adapter saved or without.

        Nothing happens to a run that is over. A later call may turn "save" into "cancel" and back,
        as long as the worker has not acted on it. Raises UnknownRunError.
        """
        if not self.get(run_id).is_over:
            self.folder(run_id).request_stop("save" if save else "cancel")
        return self.get(run_id)

    def _folders(self) -> _Folders:
        if not self.root.is_dir():
            return []
        return [RunFolder(path) for path in self.root.iterdir() if is_run_id(path.name)]

    def _create(self, config: TrainingConfig, data: Path | Rows, request_id: str | None) -> RunFolder:
        now = datetime.now(UTC)
        kind = config.kind
        run_id = new_run_id(kind, now)
        name = config.name or default_adapter_name(config.model, kind, now)
        temporary = RunFolder(Path(tempfile.mkdtemp(dir=self.root, prefix=".starting-")))
        try:
            temporary.config.write_text(config.model_dump_json(indent=2), encoding="utf-8")
            if isinstance(data, Path):
                copy = "rows.parquet" if is_parquet(data) else "rows.jsonl"
                shutil.copyfile(data, temporary.path / copy)
            else:
                lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in data)
                temporary.data.write_text("".join(lines), encoding="utf-8")
            temporary.write_record(
                RunRecord(
                    run_id=run_id, kind=kind, name=name, created=now, home=self.home, request_id=request_id
                )
            )
            temporary.path.rename(self.root / run_id)
        finally:
            shutil.rmtree(temporary.path, ignore_errors=True)
        return RunFolder(self.root / run_id)

    def _launch(self, folder: RunFolder) -> None:
        """A new session, so that neither Ctrl-C nor the end of this process reaches the worker; a
        file, not a pipe, for its output, so that it never waits for somebody to read."""
        paths = [str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONUNBUFFERED": "1",
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
        with folder.log.open("ab") as log:
            child = subprocess.Popen(
                # -P: the working folder, which relative model paths refer to, is no place for modules
                [sys.executable, "-P", "-m", "training.worker", str(folder.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        _children.append(child)
        try:
            folder.write_process(ProcessRecord.of(child.pid))
        except psutil.NoSuchProcess:
            folder.write_process(ProcessRecord(pid=child.pid, create_time=0.0))

    def _status(self, folder: RunFolder) -> RunStatus | None:
        record = folder.record()
        if record is None:
            return None
        # Asked before the events are read: a worker that ends in between has written its last state.
        alive = _is_alive(folder, record)
        events, _ = read_events(folder.events)
        states = [event for event in events if isinstance(event, StateEvent)]
        last = states[-1] if states else StateEvent(state="queued")
        state, reason, error = last.state, last.reason, last.error
        if state not in FINAL_STATES:
            stop = folder.stop_request()
            if not alive:
                state = "interrupted"
                reason = "the training process ended without a word; these are its last lines"
                error = folder.log_tail(_LOG_LINES) or "(it wrote none)"
            elif stop is not None:
                state, reason = "stopping", f"asked to stop and {stop}"
        steps = [e for e in events if isinstance(e, MetricsEvent) and e.split == "train"]
        adapters = [event.name for event in events if isinstance(event, AdapterEvent)]
        return RunStatus(
            run_id=record.run_id,
            kind=record.kind,
            name=record.name,
            state=state,
            reason=reason,
            step=steps[-1].step if steps else 0,
            steps=steps[-1].steps if steps else 0,
            eta_s=steps[-1].eta_s if steps and state == "training" else None,
            metrics=steps[-1].values if steps else {},
            adapter=adapters[-1] if adapters else None,
            error=error,
            created=record.created,
        )


def _check_data(config: TrainingConfig, data: Path | Rows) -> None:
    if config.kind == "dpo":
        usable_pairs(read_pairs(data) if isinstance(data, Path) else parse_pairs(data))
    elif isinstance(data, Path):
        check_instructions(read_instructions(data))
    else:
        check_instructions(parse_instructions(data))


def _is_alive(folder: RunFolder, record: RunRecord) -> bool:
    _children[:] = [child for child in _children if child.poll() is None]
    process = folder.process()
    if process is None:  # being started at this moment, or its starter died
        return (datetime.now(UTC) - record.created).total_seconds() < _STARTING_S
    return process.is_alive()
