"""The process that trains one run: `python -m training.runs.worker RUN_FOLDER`, started by its keeper.

It reads the run's folder, makes the base's weights if need be, trains, writes the adapter as GGUF,
compares the two, publishes the adapter, and says how it went in `events.jsonl`. Output goes to the
log. torch is imported only after the first event is written.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
import tempfile
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from recsys.llm.adapters import AdapterCard, Agreement
from recsys.llm.model_files import file_sha256
from recsys.priority import step_back
from recsys.settings import Paths
from training.adapters.publish import MODEL_GGUF
from training.config import read_config, trains_all
from training.data.rows_file import named_datasets
from training.errors import RowsFileError
from training.machine.speeds import remember_speed
from training.runs.checkpoints import discard_later, latest, step_of
from training.runs.endings import last_word, reserve, say_last
from training.runs.events import (
    AdapterEvent,
    AgreementEvent,
    DataEvent,
    EventWriter,
    MetricsEvent,
    NoteEvent,
    ResumeEvent,
    RunState,
    StateEvent,
    read_events,
)
from training.runs.failures import explain
from training.runs.folder import RunFolder, RunRecord
from training.runs.launcher import needs_launcher, train_in_processes
from training.runs.outcome import TrainingResult
from training.runs.processes import ProcessRecord, Terminated, end_on_sigterm
from training.runs.stage import Stage, set_up, train_stage


def run_worker(folder: RunFolder) -> int:
    """Do the work of one run and return the process's exit code; nothing escapes but an exit."""
    folder.write_process(ProcessRecord.of(os.getpid(), _devices(folder)))
    try:
        reserve(folder)
        events = EventWriter(folder.events)
        record = folder.record()
        if record is None:
            raise ValueError(f"{folder.path} is not the folder of a run")
        state, reason = _Work(folder, record, events).do()
        events.write(StateEvent(state=state, reason=reason))
        return 0
    except Terminated:
        say_last(folder, last_word(folder, -signal.SIGTERM))
        return 1
    except Exception as error:  # whatever it is, whoever watches the run has to be told
        with suppress(OSError):
            traceback.print_exc()
        say_last(folder, StateEvent(state="failed", error=str(explain(error, folder.path))))
        return 1


class _Work:
    """One run from its folder to an adapter, stage by stage."""

    def __init__(self, folder: RunFolder, record: RunRecord, events: EventWriter) -> None:
        self.folder = folder
        self.record = record
        self.events = events
        self.config = read_config(record.kind, folder.config.read_bytes())
        self.paths = Paths(record.home)

    def do(self) -> tuple[RunState, str]:
        """The final state and its reason."""
        self._enter("preparing")
        start = self._checkpoint()
        self._note("Loading PyTorch and the base model's weights (some ten seconds more the first time)")
        stage = set_up(self.folder, self.config, self.paths)
        rows, gguf, base = stage.rows, stage.gguf, stage.base
        self.events.write(
            DataEvent(
                train=len(rows.train),
                held_out=len(rows.held_out),
                truncated=rows.truncated,
                dropped=rows.dropped,
            )
        )
        if (request := self.folder.stop_request()) is not None:
            return "stopped", f"asked to stop and {request} before the first step; no adapter"

        self._enter("training")
        result = self._train(stage, start)
        request = self.folder.stop_request()
        if request == "cancel":
            return "stopped", f"cancelled after step {result.steps}; no adapter"

        compared = self._export_model(gguf) if trains_all(self.config) else self._export(gguf, base)
        card = AdapterCard(
            name=self.record.name,
            kind=self.config.kind,
            base_model=stage.spec.name,
            base_sha256=file_sha256(gguf),
            style=stage.text_format.style,
            created=datetime.now(UTC),
            parent=self.config.parent,
            run_id=self.record.run_id,
            rows=len(rows.train),
            held_out=len(rows.held_out),
            dropped=rows.dropped,
            truncated=rows.truncated,
            data_sha256=_sha256(self.folder.data),
            datasets=named_datasets(self.folder.data, RowsFileError),
            config=self.config.model_dump(),
            metrics=result.metrics,
            curves=result.curves,
            agreement=compared,
        )
        if trains_all(self.config):
            self._publish_model(card)
        else:
            self._publish(card)
        if request == "save":
            return "stopped", f"stopped after step {result.steps}; the adapter is saved"
        shutil.rmtree(self.folder.checkpoints, ignore_errors=True)  # nothing is left to go on with
        return "finished", ""

    def _checkpoint(self) -> Path | None:
        """Where to go on from; says so where the run has been at work before."""
        before = read_events(self.folder.events)[0]
        start = latest(self.folder.checkpoints)
        discard_later(self.folder.checkpoints, start)
        if any(isinstance(event, DataEvent | MetricsEvent) for event in before):
            self.events.write(ResumeEvent(step=step_of(start) if start else 0))
        return start

    def _train(self, stage: Stage, start: Path | None) -> TrainingResult:
        if needs_launcher(self.config):
            self._note(f"Training in {self.config.processes} processes (ZeRO: {self.config.zero})")
            result = train_in_processes(self.folder, self.config, start)
        else:
            result = train_stage(stage, start, self.events.write)
        if result.tokens_per_s:
            remember_speed(self.paths.home, self.config, result.tokens_per_s)
        return result

    def _export(self, gguf: Path, base: Path) -> Agreement | None:
        from training.adapters.agreement import agreement
        from training.adapters.gguf_lora import write_gguf_lora

        self._note("Writing the adapter as GGUF and comparing llama.cpp with PEFT")
        write_gguf_lora(self.folder.peft, gguf, self.folder.gguf)
        compared = agreement(gguf, base, self.folder.peft, self.folder.gguf)
        if compared is None:
            self._note("Disk or memory have no room for the comparison; it is left out")
        else:
            self.events.write(AgreementEvent(agreement=compared))
        return compared

    def _publish(self, card: AdapterCard) -> None:
        from training.adapters.publish import publish_adapter

        card, folder = publish_adapter(self.paths.adapters, self.folder.peft, self.folder.gguf, card)
        self.events.write(AdapterEvent(name=card.name, folder=folder))

    def _export_model(self, gguf: Path) -> Agreement:
        from training.adapters.agreement import model_agreement
        from training.adapters.gguf_model import write_model_gguf

        self._note("Writing the model as GGUF and comparing llama.cpp with transformers")
        with tempfile.TemporaryDirectory(dir=self.folder.path, prefix=".dense-") as folder:
            write_model_gguf(self.folder.peft, gguf, Path(folder) / "model.gguf", quantise=False)
            compared = model_agreement(Path(folder) / "model.gguf", self.folder.peft)
        write_model_gguf(self.folder.peft, gguf, self.folder.gguf)
        self.events.write(AgreementEvent(agreement=compared))
        return compared

    def _publish_model(self, card: AdapterCard) -> None:
        from training.adapters.publish import publish_model

        folder = publish_model(self.paths.models, self.folder.peft, self.folder.gguf, card)
        self._note(f"The model is in {folder}; it is served with --model {folder / MODEL_GGUF}")

    def _enter(self, state: RunState) -> None:
        self.events.write(StateEvent(state=state))

    def _note(self, text: str) -> None:
        print(text, flush=True)
        self.events.write(NoteEvent(text=text))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _devices(folder: RunFolder) -> tuple[int, ...]:
    keeper = folder.keeper()
    return keeper.devices if keeper is not None else ()


if __name__ == "__main__":
    step_back()
    end_on_sigterm()
    sys.exit(run_worker(RunFolder(Path(sys.argv[1]))))
