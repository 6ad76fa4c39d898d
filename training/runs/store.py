"""The runs of one home folder: start, look at, stop, resume. All state is on disk.

A run belongs to no process but its own. Whoever opens the folder sees the same: the app, a second
app, the command line, the app after a restart.

    store = RunStore(settings.paths.runs)
    run_id = store.start(DpoConfig(model="smollm2-135m-instruct"), Path("pairs.jsonl"))
    store.get(run_id).state
"""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from recsys.errors import InputError
from recsys.llm.adapters import AdapterStore
from recsys.llm.registry import load_spec
from training.adapters.naming import default_adapter_name
from training.config import TrainingConfig, read_config
from training.data.instructions import check_instructions, parse_instructions, read_instructions
from training.data.pairs import parse_pairs, read_pairs, usable_pairs
from training.data.rows_file import is_parquet
from training.errors import NotResumableError, UnknownRunError
from training.methods import Rows
from training.preflight import check_fit
from training.runs.events import Event, EventWriter, MetricsEvent, StateEvent, read_events, without_superseded
from training.runs.folder import Patience, RunFolder, RunRecord, is_run_id, new_run_id
from training.runs.launcher import check_launcher
from training.runs.queue import folders, lock, look
from training.runs.status import RunStatus, read_status

_LAST_MOMENTS_S = 10.0
"""What the processes of a run that has said its last word may take to end before it is resumed."""

# Inside the class `list` is a method.
_Events = list[Event]
_Metrics = list[MetricsEvent]


class RunStore:
    """Runs under the folder `root`; `home` is where models and adapters lie (default: its parent).

    Each look at the runs also brings them up to date: what died is marked so, and the next run is
    started. `patience` is how long the new ones are waited for when they are asked to stop.
    """

    def __init__(self, root: Path, home: Path | None = None, patience: Patience | None = None) -> None:
        self.root = root.resolve()
        self.home = (home or root.parent).resolve()
        self._patience = patience or Patience()

    def start(
        self,
        config: TrainingConfig,
        data: Path | Rows,
        request_id: str | None = None,
    ) -> str:
        """Put a run into the queue, start it when its turn has come, and return its id.

        `data` is a JSON Lines or Parquet file, or rows. The same `request_id` gives the same run, so a
        request can be repeated. Raises UnknownModelError, ModelFileError, UnknownAdapterError,
        RowsFileError, NotEnoughPairsError, NotEnoughRowsError, and NotEnoughMemoryError or
        NotEnoughDiskError for a run that would not fit, TrainingConfigError where DeepSpeed is missing.
        """
        if request_id is not None and not (isinstance(request_id, str) and 0 < len(request_id) <= 200):
            raise InputError(reason="A request_id is a text of 1 to 200 characters.")
        spec = load_spec(config.model)
        if config.parent is not None:
            AdapterStore(self.home / "adapters").get(config.parent, spec.name)
        _check_data(config, data)
        self.root.mkdir(parents=True, exist_ok=True)
        if (known := self._requested(request_id)) is not None:
            return known
        check_launcher(config)
        check_fit(config, data, self.home)
        with lock(self.root):
            if (known := self._requested(request_id)) is not None:
                return known
            folder = self._create(config, data, request_id)
            look(self.root)
            return folder.path.name

    def running(self) -> RunStatus | None:
        """The run that has a process, or else the one that waits longest, if there is any."""
        left = [status for status in reversed(self.list()) if not status.is_over]
        return next((status for status in left if status.state != "queued"), left[0] if left else None)

    def list(self) -> list[RunStatus]:
        """All runs, newest first."""
        look(self.root)
        statuses = [read_status(folder) for folder in folders(self.root)]
        found = [status for status in statuses if status is not None]
        return sorted(found, key=lambda status: status.created, reverse=True)

    def get(self, run_id: str) -> RunStatus:
        """One run; raises UnknownRunError."""
        folder = self.folder(run_id)
        look(self.root)
        if (status := read_status(folder)) is None:
            raise UnknownRunError(run_id=run_id)
        return status

    def folder(self, run_id: str) -> RunFolder:
        """Where a run's files are; raises UnknownRunError, also for what cannot be an id."""
        if not is_run_id(run_id) or not (self.root / run_id).is_dir():
            raise UnknownRunError(run_id=run_id)
        return RunFolder(self.root / run_id)

    def config(self, run_id: str) -> TrainingConfig:
        """The settings of a run; raises UnknownRunError."""
        folder = self.folder(run_id)
        if (record := folder.record()) is None:
            raise UnknownRunError(run_id=run_id)
        return read_config(record.kind, folder.config.read_bytes())

    def metrics(self, run_id: str) -> _Metrics:
        """The numbers of every step so far; raises UnknownRunError."""
        return [event for event in self.events(run_id)[0] if isinstance(event, MetricsEvent)]

    def events(self, run_id: str, offset: int = 0) -> tuple[_Events, int]:
        """Events from a byte offset on, and the next offset; raises UnknownRunError.

        What a resumed run measures again is there once. A reader that goes on from an offset drops
        what it has of later steps when it meets a ResumeEvent.
        """
        events, following = read_events(self.folder(run_id).events, offset)
        return without_superseded(events), following

    def log_tail(self, run_id: str, lines: int = 100) -> str:
        """The last lines of the worker's output; raises UnknownRunError."""
        return self.folder(run_id).log_tail(lines)

    def stop(self, run_id: str, save: bool) -> RunStatus:
        """Ask a run to stop after its current step, with its adapter saved or without.

        One that still waits for its turn leaves the queue. Nothing happens to a run that is over. A later
        call may turn "save" into "cancel" and back, as long as the worker has not acted on it. One that
        does not answer is ended (see `training.runs.watchdog`). Raises UnknownRunError.
        """
        folder = self.folder(run_id)
        with lock(self.root):
            if not self.get(run_id).is_over:
                if folder.has_been_launched():
                    folder.request_stop("save" if save else "cancel")
                else:
                    _say(folder, StateEvent(state="stopped", reason="taken out of the queue"))
        return self.get(run_id)

    def resume(self, run_id: str) -> RunStatus:
        """Let a run that was stopped, failed or interrupted go on from its last whole checkpoint.

        Without a checkpoint it begins again. It waits for its turn as a new run does; nothing happens to
        one that goes on or waits. Raises UnknownRunError, NotResumableError for a finished run, and
        NotEnoughMemoryError.
        """
        folder = self.folder(run_id)
        status = self.get(run_id)
        if status.is_over:
            if not status.is_resumable:
                raise NotResumableError(run_id=run_id, state=status.state)
            check_fit(self.config(run_id), folder.data, self.home)
            for process in filter(None, (folder.process(), folder.keeper())):
                process.end(_LAST_MOMENTS_S)  # before the lock is taken, which the keeper may wait for
        with lock(self.root):
            status = self.get(run_id)
            if status.is_resumable:
                folder.forget_processes()
                where = "the beginning" if status.checkpoint is None else f"step {status.checkpoint}"
                _say(folder, StateEvent(state="queued", reason=f"goes on from {where}"))
        return self.get(run_id)

    def _requested(self, request_id: str | None) -> str | None:
        if request_id is None:
            return None
        records = (folder.record() for folder in folders(self.root))
        found = (record.run_id for record in records if record and record.request_id == request_id)
        return next(found, None)

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
                    run_id=run_id,
                    kind=kind,
                    name=name,
                    created=now,
                    home=self.home,
                    cwd=Path.cwd(),
                    request_id=request_id,
                    patience=self._patience,
                )
            )
            temporary.path.rename(self.root / run_id)
        finally:
            shutil.rmtree(temporary.path, ignore_errors=True)
        return RunFolder(self.root / run_id)


def _check_data(config: TrainingConfig, data: Path | Rows) -> None:
    if config.kind == "dpo":
        usable_pairs(read_pairs(data) if isinstance(data, Path) else parse_pairs(data))
    elif isinstance(data, Path):
        check_instructions(read_instructions(data))
    else:
        check_instructions(parse_instructions(data))


def _say(folder: RunFolder, event: Event) -> None:
    writer = EventWriter(folder.events)
    writer.write(event)
    writer.close()
