"""What a run says of itself: an append-only file, one JSON object a line.

The worker writes, everybody else reads: the app, the command line and a person with `tail -f`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from recsys.llm.adapters import Agreement

RunState = Literal[
    "queued", "preparing", "training", "stopping", "finished", "stopped", "failed", "interrupted"
]
FINAL_STATES: frozenset[RunState] = frozenset({"finished", "stopped", "failed", "interrupted"})


_TAIL_BYTES = 16 * 1024


class _Event(BaseModel):
    """`time` is in Unix seconds."""

    model_config = ConfigDict(frozen=True)

    time: float = Field(default_factory=time.time)


class StateEvent(_Event):
    """The run entered `state`; `error` is the message for a person when it failed."""

    kind: Literal["state"] = "state"
    state: RunState
    reason: str = ""
    error: str | None = None


class DataEvent(_Event):
    """What became of the pairs: how many are used, how many were dropped and why."""

    kind: Literal["data"] = "data"
    train: int
    held_out: int
    truncated: int
    dropped: dict[str, int]


class MetricsEvent(_Event):
    """Numbers after step `step` of `steps`, under TRL's names (`loss`, `rewards/margins`, ...).

    `eta_s` and `tokens_per_s` are None where they mean nothing.
    """

    kind: Literal["metrics"] = "metrics"
    split: Literal["train", "held-out"] = "train"
    step: int
    steps: int
    values: dict[str, float]
    tokens_per_s: float | None = None
    eta_s: float | None = None


class ReferenceEvent(_Event):
    """DPO's reference has been asked about `pairs_done` of all `pairs`, before the first step."""

    kind: Literal["reference"] = "reference"
    pairs_done: int
    pairs: int
    eta_s: float | None = None


class MeasuringEvent(_Event):
    """A measurement on the held-out rows, which takes seconds at least, is at `rows_done` of `rows`."""

    kind: Literal["measuring"] = "measuring"
    rows_done: int
    rows: int
    eta_s: float | None = None


class ResumeEvent(_Event):
    """The run goes on from the checkpoint after `step`, 0 for the beginning; later numbers are void."""

    kind: Literal["resume"] = "resume"
    step: int


class SampledAnswer(BaseModel):
    """An answer to one of the fixed prompts: `label` names the prompt, `score` is the quality score."""

    model_config = ConfigDict(frozen=True)

    label: str
    text: str
    tokens: int
    score: float


class SampleEvent(_Event):
    """What the model answers to the fixed prompts after step `step`; after step 0, the reference does."""

    kind: Literal["sample"] = "sample"
    step: int
    answers: tuple[SampledAnswer, ...]


class NoteEvent(_Event):
    """A sentence about what is being done, for the log on the page."""

    kind: Literal["note"] = "note"
    text: str


class AgreementEvent(_Event):
    """How well llama.cpp with the GGUF adapter agrees with PEFT."""

    kind: Literal["agreement"] = "agreement"
    agreement: Agreement


class AdapterEvent(_Event):
    """The adapter is published under `name`."""

    kind: Literal["adapter"] = "adapter"
    name: str
    folder: Path


Event = Annotated[
    StateEvent
    | DataEvent
    | MetricsEvent
    | ReferenceEvent
    | MeasuringEvent
    | SampleEvent
    | ResumeEvent
    | NoteEvent
    | AgreementEvent
    | AdapterEvent,
    Field(discriminator="kind"),
]
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


class EventWriter:
    """Appends events. A line is one `write`, so that a reader never sees two lines mixed."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        if (size := os.fstat(self._file).st_size) and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # a writer before us died within a line

    def write(self, event: Event) -> None:
        """Append `event`; raises OSError when the disk is full."""
        os.write(self._file, event.model_dump_json().encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_events(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """The events from byte `offset` on, and the offset to read from next time.

    A last line without its end is left for the next call, a line that cannot be understood (cut
    by a crash, or of a later version) is passed over, and a missing file holds no events.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return [], offset
    whole = data[: data.rfind(b"\n") + 1]
    events: list[Event] = []
    for line in whole.splitlines():
        try:
            events.append(_ADAPTER.validate_json(line))
        except ValidationError:
            continue
    return events, offset + len(whole)


def last_state(path: Path) -> StateEvent:
    """The state that the run was last in by its own account; "queued" when it has not said any.

    The end of the file is enough nearly always, so that many finished runs are looked through quickly.
    """
    try:
        size = path.stat().st_size
    except OSError:
        return StateEvent(state="queued", time=0.0)
    for offset in (max(0, size - _TAIL_BYTES), 0):
        states = [event for event in read_events(path, offset)[0] if isinstance(event, StateEvent)]
        if states:
            return states[-1]
    return StateEvent(state="queued", time=0.0)


def without_superseded(events: Sequence[Event]) -> list[Event]:
    """The events less those that a later ResumeEvent makes void: numbers of steps after the checkpoint,
    which are measured again, and what was said of the data, which is said again."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, ResumeEvent):
            kept = [earlier for earlier in kept if not _is_void(earlier, event.step)]
        kept.append(event)
    return kept


def _is_void(event: Event, step: int) -> bool:
    after = isinstance(event, MetricsEvent | SampleEvent) and event.step > step
    return isinstance(event, DataEvent) or after
