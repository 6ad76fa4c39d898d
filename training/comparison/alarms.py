"""What in a run's curves a person should be told in plain words, before they trust its adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from training.runs.events import Event, MetricsEvent, SampleEvent

_MIN_STEPS = 8
_FALL_SHARE = 0.05
_TURN = 0.05
_REPEATING = 15.0
_LONGER, _MORE_TOKENS = 1.5, 12


@dataclass(frozen=True, slots=True)
class Alarm:
    """The key of the sentence under `assets/i18n/` and what is filled in."""

    key: str
    values: dict[str, str]


def alarms(events: Sequence[Event]) -> list[Alarm]:
    """The alarms of one run, the gravest first; none while there are too few steps to tell."""
    found = (
        _chosen_falls(events),
        _accuracy_turned(events),
        _loss_turned(events),
        _repeating(events),
        _longer(events),
    )
    return [alarm for alarm in found if alarm is not None]


def _chosen_falls(events: Sequence[Event]) -> Alarm | None:
    """The margin grows because rejected answers fall faster than chosen ones, which fall too: the model
    may come to write neither (Razin et al., arXiv 2410.08847, call it likelihood displacement)."""
    margin = _series(events, "train", "rewards/margins")
    chosen = _series(events, "train", "logps/chosen")
    if min(len(margin), len(chosen)) < _MIN_STEPS:
        return None
    (margin_before, margin_now), (before, now) = _ends(margin), _ends(chosen)
    if margin_now > margin_before and now < before - _FALL_SHARE * abs(before):
        return Alarm("alarm_chosen_falls", {"before": f"{before:.1f}", "now": f"{now:.1f}"})
    return None


def _accuracy_turned(events: Sequence[Event]) -> Alarm | None:
    accuracy = _series(events, "held-out", "rewards/accuracies")
    if len(accuracy) < 3 or accuracy[-1] > max(accuracy) - _TURN:
        return None
    return Alarm("alarm_accuracy_turned", {"best": f"{max(accuracy):.2f}", "now": f"{accuracy[-1]:.2f}"})


def _loss_turned(events: Sequence[Event]) -> Alarm | None:
    """Held-out loss rises while training loss falls: the rows are being learnt by heart."""
    held_out, train = _series(events, "held-out", "loss"), _series(events, "train", "loss")
    if len(held_out) < 3 or len(train) < _MIN_STEPS:
        return None
    (before, now), best = _ends(train), min(held_out)
    if held_out[-1] > best * (1 + _TURN) and now < before:
        return Alarm("alarm_loss_turned", {"best": f"{best:.3f}", "now": f"{held_out[-1]:.3f}"})
    return None


def _repeating(events: Sequence[Event]) -> Alarm | None:
    """More of the fixed prompts are answered with text that repeats itself than before training."""
    samples = [event for event in events if isinstance(event, SampleEvent)]
    if len(samples) < 2:
        return None
    before, now = (sum(a.score >= _REPEATING for a in e.answers) for e in (samples[0], samples[-1]))
    if now <= before:
        return None
    return Alarm("alarm_repeating", {"count": str(now), "total": str(len(samples[-1].answers))})


def _longer(events: Sequence[Event]) -> Alarm | None:
    samples = [event for event in events if isinstance(event, SampleEvent) and event.answers]
    if len(samples) < 2:
        return None
    before, now = (fmean(answer.tokens for answer in e.answers) for e in (samples[0], samples[-1]))
    if now < before + _MORE_TOKENS or now < _LONGER * before:
        return None
    return Alarm("alarm_longer", {"factor": f"{now / max(before, 1.0):.1f}"})


def _series(events: Sequence[Event], split: str, key: str) -> list[float]:
    return [
        event.values[key]
        for event in events
        if isinstance(event, MetricsEvent) and event.split == split and key in event.values
    ]


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Means of the first and of the last quarter."""
    quarter = max(1, len(values) // 4)
    return fmean(values[:quarter]), fmean(values[-quarter:])
