"""What the curves on the Train tab show, as tables of step, value and series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from training.events import Event, MetricsEvent


@dataclass(frozen=True, slots=True)
class Figure:
    """One plot: the key of its title, and TRL's names of its series under their own labels."""

    label: str
    series: Mapping[str, str]


FIGURES = (
    Figure("train_loss", {"loss": "loss"}),
    Figure("train_margin", {"rewards/margins": "margin"}),
    Figure("train_rewards", {"rewards/chosen": "chosen", "rewards/rejected": "rejected"}),
    Figure("train_accuracy", {"rewards/accuracies": "accuracy"}),
)


def curve_frame(events: Sequence[Event], figure: Figure) -> pd.DataFrame:
    """One row a step and series, with the columns `step`, `value` and `series`."""
    rows = [
        (event.step, event.values[name], label)
        for event in events
        if isinstance(event, MetricsEvent) and event.split == "train"
        for name, label in figure.series.items()
        if name in event.values
    ]
    return pd.DataFrame(rows, columns=["step", "value", "series"])
