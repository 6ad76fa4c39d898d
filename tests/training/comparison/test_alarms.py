"""Alarms on made curves: they ring when they should, and only then."""

from __future__ import annotations

from training.comparison.alarms import alarms
from training.runs.events import Event, MetricsEvent


def train(**series: list[float]) -> list[Event]:
    steps = len(next(iter(series.values())))
    names = {"margin": "rewards/margins", "chosen": "logps/chosen", "loss": "loss"}
    return [
        MetricsEvent(step=i + 1, steps=steps, values={names[k]: v[i] for k, v in series.items()})
        for i in range(steps)
    ]


def held_out(key: str, *values: float) -> list[Event]:
    return [
        MetricsEvent(split="held-out", step=i, steps=9, values={key: value}) for i, value in enumerate(values)
    ]


def keys(events: list[Event]) -> list[str]:
    return [alarm.key for alarm in alarms(events)]


def test_falling_chosen_answers_under_a_growing_margin_ring() -> None:
    margin = [0.1 * i for i in range(12)]
    assert keys(train(margin=margin, chosen=[-100.0 - 2 * i for i in range(12)])) == ["alarm_chosen_falls"]
    assert keys(train(margin=margin, chosen=[-100.0 + i for i in range(12)])) == []
    assert keys(train(margin=margin[::-1], chosen=[-100.0 - 2 * i for i in range(12)])) == []
    assert keys(train(margin=margin[:4], chosen=[-100.0, -120.0, -140.0, -160.0])) == []


def test_held_out_accuracy_that_turns_rings() -> None:
    key = "rewards/accuracies"
    assert keys(held_out(key, 0.5, 0.8, 0.7)) == ["alarm_accuracy_turned"]
    assert keys(held_out(key, 0.5, 0.7, 0.8)) == []
    assert keys(held_out(key, 0.8, 0.7)) == []


def test_held_out_loss_that_rises_while_training_loss_falls_rings() -> None:
    falling = train(loss=[3.0 - 0.2 * i for i in range(10)])
    assert keys([*falling, *held_out("loss", 2.0, 1.8, 2.2)]) == ["alarm_loss_turned"]
    assert keys([*falling, *held_out("loss", 2.0, 1.8, 1.82)]) == []
    rising = train(loss=[1.0 + 0.2 * i for i in range(10)])
    assert keys([*rising, *held_out("loss", 2.0, 1.8, 2.2)]) == []
