"""The process that trains one run: `python -m training.worker RUN_FOLDER`, started by `training.runs`.

It reads the run's folder, makes the base's weights if need be, trains, writes the adapter as GGUF,
compares the two, publishes the adapter, and says how it went in `events.jsonl`. Output goes to the
log. torch is imported only here, after the first event is written.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.errors import ZeroshelfError
from recsys.llm.adapters import Adapter, AdapterCard, AdapterStore, Agreement
from recsys.llm.model_files import file_sha256, model_file
from recsys.llm.registry import ModelSpec, load_spec, prompt_format
from recsys.settings import Paths
from training.config import read_config
from training.events import (
    AdapterEvent,
    AgreementEvent,
    DataEvent,
    EventWriter,
    NoteEvent,
    RunState,
    StateEvent,
)
from training.methods import build_trainer, prepared, trained_style
from training.run_folder import ProcessRecord, RunFolder, RunRecord
from training.splits import Prepared

if TYPE_CHECKING:
    from training.result import TrainingResult

_NICENESS = 5


def run_worker(folder: RunFolder) -> int:
    """Do the work of one run and return the process's exit code; nothing escapes but an exit."""
    events = EventWriter(folder.events)
    try:
        folder.write_process(ProcessRecord.of(os.getpid()))
        record = folder.record()
        if record is None:
            raise ValueError(f"{folder.path} is not the folder of a run")
        state, reason = _Work(folder, record, events).do()
        events.write(StateEvent(state=state, reason=reason))
        return 0
    except Exception as error:  # whatever it is, whoever watches the run has to be told
        traceback.print_exc()
        events.write(StateEvent(state="failed", error=_message(error)))
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
        spec = load_spec(self.config.model)
        gguf = model_file(spec, self.paths.models)
        parent = self._parent(spec)
        style = trained_style(self.config, prompt_format(gguf, spec.style).style, parent)
        text_format = prompt_format(gguf, style)

        self._note("Loading PyTorch and the base model's weights (half a minute more the first time)")
        from training.base_weights import base_weights, load_tokenizer

        base = base_weights(gguf, self.paths.models)
        tokenizer = load_tokenizer(base)
        rows = prepared(
            self.config, self.folder.data, text_format, lambda texts: tokenizer(list(texts))["input_ids"]
        )
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
        result = self._train(rows, base, parent)
        request = self.folder.stop_request()
        if request == "cancel":
            return "stopped", f"cancelled after step {result.steps}; no adapter"

        compared = self._export(gguf, base)
        card = AdapterCard(
            name=self.record.name,
            kind=self.config.kind,
            base_model=spec.name,
            base_sha256=file_sha256(gguf),
            style=text_format.style,
            created=datetime.now(UTC),
            parent=self.config.parent,
            run_id=self.record.run_id,
            rows=len(rows.train),
            held_out=len(rows.held_out),
            dropped=rows.dropped,
            truncated=rows.truncated,
            data_sha256=_sha256(self.folder.data),
            config=self.config.model_dump(),
            metrics=result.metrics,
            curves=result.curves,
            agreement=compared,
        )
        self._publish(card)
        if request == "save":
            return "stopped", f"stopped after step {result.steps}; the adapter is saved"
        return "finished", ""

    def _parent(self, spec: ModelSpec) -> Adapter | None:
        if self.config.parent is None:
            return None
        return AdapterStore(self.paths.adapters).get(self.config.parent, spec.name)

    def _train(self, rows: Prepared[Any], base: Path, parent: Adapter | None) -> TrainingResult:
        from training.progress import ProgressCallback
        from training.result import train

        progress = ProgressCallback(self.events.write, lambda: self.folder.stop_request() is not None)
        trainer = build_trainer(
            self.config,
            rows,
            base=base,
            parent=parent.folder if parent else None,
            checkpoints=self.folder.checkpoints,
            progress=progress,
        )
        return train(
            trainer,
            progress,
            held_out=len(rows.held_out),
            output=self.folder.peft,
            discard_wanted=lambda: self.folder.stop_request() == "cancel",
        )

    def _export(self, gguf: Path, base: Path) -> Agreement | None:
        from training.agreement import agreement
        from training.gguf_lora import write_gguf_lora

        self._note("Writing the adapter as GGUF and comparing llama.cpp with PEFT")
        write_gguf_lora(self.folder.peft, gguf, self.folder.gguf)
        compared = agreement(gguf, base, self.folder.peft, self.folder.gguf)
        if compared is None:
            self._note("The disk has no room for the comparison; it is left out")
        else:
            self.events.write(AgreementEvent(agreement=compared))
        return compared

    def _publish(self, card: AdapterCard) -> None:
        from training.publish import publish_adapter

        card, folder = publish_adapter(self.paths.adapters, self.folder.peft, self.folder.gguf, card)
        self.events.write(AdapterEvent(name=card.name, folder=folder))
        shutil.rmtree(self.folder.checkpoints, ignore_errors=True)  # they served for a crash before here

    def _enter(self, state: RunState) -> None:
        self.events.write(StateEvent(state=state))

    def _note(self, text: str) -> None:
        print(text, flush=True)
        self.events.write(NoteEvent(text=text))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _message(error: Exception) -> str:
    if isinstance(error, ZeroshelfError):
        return str(error)
    return f"Training failed: {type(error).__name__}: {error}. The log has the details."


if __name__ == "__main__":
    os.nice(_NICENESS)
    sys.exit(run_worker(RunFolder(Path(sys.argv[1]))))
