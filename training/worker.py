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

from recsys.errors import ZeroshelfError
from recsys.llm.adapters import AdapterCard, Agreement
from recsys.llm.model_files import file_sha256, model_file
from recsys.llm.registry import load_spec, prompt_format
from recsys.settings import Paths
from training.config import DpoConfig
from training.events import (
    AdapterEvent,
    AgreementEvent,
    DataEvent,
    EventWriter,
    NoteEvent,
    RunState,
    StateEvent,
)
from training.pairs_data import prepare_pairs, read_pairs
from training.run_folder import ProcessRecord, RunFolder, RunRecord

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
        self.config = DpoConfig.model_validate_json(folder.config.read_bytes())
        self.paths = Paths(record.home)

    def do(self) -> tuple[RunState, str]:
        """The final state and its reason."""
        self._enter("preparing")
        spec = load_spec(self.config.model)
        gguf = model_file(spec, self.paths.models)
        text_format = prompt_format(gguf, spec.style)

        self._note("Loading PyTorch and the base model's weights (half a minute more the first time)")
        from training.base_weights import base_weights, load_tokenizer
        from training.dpo import train_dpo

        base = base_weights(gguf, self.paths.models)
        tokenizer = load_tokenizer(base)
        pairs = prepare_pairs(
            read_pairs(self.folder.pairs),
            text_format,
            lambda text: len(tokenizer(text)["input_ids"]),
            max_length=self.config.max_length,
            held_out=self.config.held_out,
            seed=self.config.seed,
        )
        self.events.write(
            DataEvent(
                train=len(pairs.train),
                held_out=len(pairs.held_out),
                truncated=pairs.truncated,
                dropped=pairs.dropped,
            )
        )
        if (request := self.folder.stop_request()) is not None:
            return "stopped", f"asked to stop and {request} before the first step; no adapter"

        self._enter("training")
        result = train_dpo(
            self.config,
            pairs,
            base=base,
            checkpoints=self.folder.checkpoints,
            adapter=self.folder.peft,
            emit=self.events.write,
            stop_wanted=lambda: self.folder.stop_request() is not None,
            discard_wanted=self._cancelled,
        )
        request = self.folder.stop_request()
        if request == "cancel":
            return "stopped", f"cancelled after step {result.steps}; no adapter"

        compared = self._export(gguf, base)
        card = AdapterCard(
            name=self.record.name,
            kind="dpo",
            base_model=spec.name,
            base_sha256=file_sha256(gguf),
            style=text_format.style,
            created=datetime.now(UTC),
            run_id=self.record.run_id,
            rows=len(pairs.train),
            data_sha256=hashlib.sha256(self.folder.pairs.read_bytes()).hexdigest(),
            config=self.config.model_dump(),
            metrics=result.metrics,
            agreement=compared,
        )
        self._publish(card)
        if request == "save":
            return "stopped", f"stopped after step {result.steps}; the adapter is saved"
        return "finished", ""

    def _cancelled(self) -> bool:
        return self.folder.stop_request() == "cancel"

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


def _message(error: Exception) -> str:
    if isinstance(error, ZeroshelfError):
        return str(error)
    return f"Training failed: {type(error).__name__}: {error}. The log has the details."


if __name__ == "__main__":
    os.nice(_NICENESS)
    sys.exit(run_worker(RunFolder(Path(sys.argv[1]))))
