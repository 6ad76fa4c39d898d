"""A run on the terminal: its events as lines, until it is over."""

from __future__ import annotations

import time

import typer

from training.runs.events import (
    AdapterEvent,
    AgreementEvent,
    DataEvent,
    Event,
    MeasuringEvent,
    MetricsEvent,
    NoteEvent,
    ReferenceEvent,
    ResumeEvent,
    SampleEvent,
    StateEvent,
)
from training.runs.status import RunStatus
from training.runs.store import RunStore

_POLL_S = 0.5


def follow(store: RunStore, run_id: str, offset: int = 0) -> RunStatus:
    """Print a run's events from `offset` on until it is over, or until the second Ctrl-C."""

    def to_the_end() -> RunStatus:
        nonlocal offset
        while True:
            status = store.get(run_id)  # before the events, so that none of an ended run is missed
            events, offset = store.events(run_id, offset)
            for line in filter(None, map(line_of, events)):
                typer.echo(line)
            if status.is_over:
                return status
            time.sleep(_POLL_S)

    try:
        return to_the_end()
    except KeyboardInterrupt:
        pass
    try:
        store.stop(run_id, save=True)
        typer.echo("\nstopping after this step and saving; Ctrl-C again to leave it to itself")
        return to_the_end()
    except KeyboardInterrupt:
        typer.echo(f"\n{run_id} goes on; `python -m training show {run_id}` tells how it is.")
        return store.get(run_id)


def exit_if_failed(status: RunStatus) -> None:
    """Say why, and end the command with 1, where the run failed."""
    if status.state in ("failed", "interrupted"):
        typer.echo(f"{status.run_id} {status.state}: {status.error}", err=True)
        raise typer.Exit(1)


def line_of(event: Event) -> str:
    """An event as a line, or an empty string where it has nothing for a person."""
    match event:
        case MetricsEvent(split="held-out"):
            accuracy = event.values.get("rewards/accuracies")
            first = "" if accuracy is None else f"accuracy {accuracy:.2f}, "
            return f"held-out {first}loss {event.values.get('loss', float('nan')):.4f}"
        case MetricsEvent():
            shown = ("loss", "rewards/margins", "rewards/accuracies")
            numbers = "  ".join(
                f"{k.split('/')[-1]} {event.values[k]:.4f}" for k in shown if k in event.values
            )
            return f"step {event.step}/{event.steps}  {numbers}  about {event.eta_s or 0:.0f} s left"
        case StateEvent():
            return f"{event.state} {event.reason}".strip()
        case ReferenceEvent():
            left = "" if event.eta_s is None else f"  about {event.eta_s:.0f} s left"
            return f"reference's log-probabilities {event.pairs_done}/{event.pairs} pairs{left}"
        case MeasuringEvent():
            left = "" if event.eta_s is None else f"  about {event.eta_s:.0f} s left"
            return f"held-out rows {event.rows_done}/{event.rows}{left}"
        case SampleEvent():
            return f"{len(event.answers)} fixed prompts answered after step {event.step}"
        case ResumeEvent():
            return f"goes on after step {event.step}" if event.step else "begins again"
        case NoteEvent():
            return event.text
        case DataEvent():
            dropped = "".join(f", {count} dropped: {reason}" for reason, count in event.dropped.items())
            cut = f", {event.truncated} cut at the end" if event.truncated else ""
            return f"{event.train} rows to train on, {event.held_out} held out{dropped}{cut}"
        case AgreementEvent():
            return f"llama.cpp and PEFT differ by {event.agreement.mean_difference:.5f} nats a token"
        case AdapterEvent():
            return f"adapter {event.name} in {event.folder}"


def summary(status: RunStatus) -> str:
    """A run in one line."""
    steps = f"{status.step}/{status.steps}" if status.steps else "-"
    adapter = status.adapter or "-"
    return f"{status.run_id}  {status.state:<11}  step {steps:<9}  {status.name}  adapter {adapter}"
