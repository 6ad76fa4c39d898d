"""What the curves on the Train tab show, as tables of step, value and series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from training.runs.events import Event, MetricsEvent

TOKENS_PER_S = "tokens_per_s"
"""Not a number of TRL's logs: it has a field of its own in the event."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One plot: the key of its title, and TRL's names of its series under their own labels.

    The training part of a series is always shown, the held-out part where `held_out` names it.
    """

    label: str
    series: Mapping[str, str]
    held_out: Mapping[str, str]


FIGURES = (
    Figure("train_loss", {"loss": "train"}, {"loss": "held-out"}),
    Figure("train_margin", {"rewards/margins": "train"}, {"rewards/margins": "held-out"}),
    Figure("train_rewards", {"rewards/chosen": "chosen", "rewards/rejected": "rejected"}, {}),
    Figure("train_logps", {"logps/chosen": "chosen", "logps/rejected": "rejected"}, {}),
    Figure("train_accuracy", {"rewards/accuracies": "train"}, {"rewards/accuracies": "held-out"}),
    Figure("train_grad_norm", {"grad_norm": "train"}, {}),
    Figure("train_rate", {"learning_rate": "train"}, {}),
    Figure("train_tokens", {TOKENS_PER_S: "train"}, {}),
)


def curve_frame(
    runs: Mapping[str, Sequence[Event]], figure: Figure, *, smoothing: float = 0.0
) -> pd.DataFrame:
    """One row a step and series, with the columns `step`, `value` and `series`.

    `runs` are events by the run's name; with more than one, a series is called `name · series`.
    `smoothing` (0 to 1) is the weight of what came before in an exponential moving average, corrected
    for its start as in Adam; held-out points are few and are left as they are.
    """
    rows = []
    for name, events in runs.items():
        before = f"{name} · " if len(runs) > 1 else ""
        for part, wanted in (("train", figure.series), ("held-out", figure.held_out)):
            for key, label in wanted.items():
                points = list(_points(events, part, key))
                if part == "train":
                    points = list(smoothed(points, smoothing))
                rows += [(step, value, before + label) for step, value in points]
    return pd.DataFrame(rows, columns=["step", "value", "series"])


def smoothed(points: Sequence[tuple[int, float]], weight: float) -> Iterator[tuple[int, float]]:
    """Points (step, value) as a bias-corrected exponential moving average; `weight` 0 changes nothing."""
    mean, scale = 0.0, 0.0
    for step, value in points:
        mean = weight * mean + (1 - weight) * value
        scale = weight * scale + (1 - weight)
        yield step, mean / scale


def _points(events: Sequence[Event], part: str, key: str) -> Iterator[tuple[int, float]]:
    for event in events:
        if not isinstance(event, MetricsEvent) or event.split != part:
            continue
        value = event.tokens_per_s if key == TOKENS_PER_S else event.values.get(key)
        if value is not None:
            yield event.step, value
