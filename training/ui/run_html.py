"""One run's state as HTML: what it does, how long it still takes, what came out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from recsys.i18n import duration, text
from training.runs.events import (
    AgreementEvent,
    DataEvent,
    Event,
    MeasuringEvent,
    MetricsEvent,
    ReferenceEvent,
)
from training.runs.status import RunStatus


def run_html(status: RunStatus, events: Sequence[Event], language: str) -> str:
    """The panel above the curves; every text is escaped."""

    def say(key: str, **values: object) -> str:
        return escape(text(language, key, **values))

    facts = []
    if status.steps:
        facts.append(say("train_step", step=status.step, steps=status.steps))
    beside = None if status.is_over else _beside_the_steps(events)
    if isinstance(beside, ReferenceEvent):
        facts.append(say("train_reference", done=beside.pairs_done, pairs=beside.pairs))
    elif beside is not None:
        facts.append(say("train_measuring", done=beside.rows_done, rows=beside.rows))
    at_first = isinstance(beside, ReferenceEvent) or (beside is not None and not status.step)
    eta_s = beside.eta_s if beside and at_first else status.eta_s
    if eta_s is not None and not status.is_over:
        facts.append(say("train_eta", eta=duration(eta_s, language)))
    held_out = [e for e in events if isinstance(e, MetricsEvent) and e.split == "held-out"]
    if held_out and (accuracy := held_out[-1].values.get("rewards/accuracies")) is not None:
        pairs = next((e.held_out for e in events if isinstance(e, DataEvent)), 0)
        facts.append(say("train_held_out", value=f"{accuracy:.2f}", pairs=pairs))
    if status.adapter:
        facts.append(say("train_adapter", name=status.adapter))
    agreements = [e.agreement for e in events if isinstance(e, AgreementEvent)]
    if agreements:
        facts.append(say("train_agreement", value=f"{agreements[-1].mean_difference:.4f}"))
    reason = f"<p>{escape(status.reason)}</p>" if status.reason else ""
    error = f'<pre class="zs-error">{escape(status.error)}</pre>' if status.error else ""
    spans = "".join(f"<span>{fact}</span>" for fact in facts)
    return (
        f'<div class="zs-run" role="status" data-state="{status.state}" data-step="{status.step}">'
        f'<div><span class="zs-state">{say(f"state_{status.state}")}</span> · {escape(status.name)}</div>'
        f'<div class="zs-facts">{spans}</div>{reason}{error}</div>'
    )


def _beside_the_steps(events: Sequence[Event]) -> ReferenceEvent | MeasuringEvent | None:
    """How far the run is with what is not a step, while that goes on."""
    told = (ReferenceEvent, MeasuringEvent, MetricsEvent)
    match next((event for event in reversed(events) if isinstance(event, told)), None):
        case ReferenceEvent() as last if last.pairs_done < last.pairs:
            return last
        case MeasuringEvent() as last if last.rows_done < last.rows:
            return last
    return None
