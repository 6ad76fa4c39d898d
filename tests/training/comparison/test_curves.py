"""Curves as tables: series, held-out points, several runs, smoothing."""

from __future__ import annotations

import pytest

from training.comparison.curves import FIGURES, curve_frame, smoothed
from training.runs.events import Event, MetricsEvent

BY_LABEL = {figure.label: figure for figure in FIGURES}


def events() -> list[Event]:
    made: list[Event] = [
        MetricsEvent(step=s, steps=3, values={"loss": 4.0 - s, "logps/chosen": -9.0}, tokens_per_s=10.0 * s)
        for s in (1, 2, 3)
    ]
    return [*made, MetricsEvent(split="held-out", step=3, steps=3, values={"loss": 0.5})]


def test_held_out_points_are_a_series_of_their_own() -> None:
    frame = curve_frame({"run": events()}, BY_LABEL["train_loss"])
    assert frame.values.tolist() == [
        [1, 3.0, "train"],
        [2, 2.0, "train"],
        [3, 1.0, "train"],
        [3, 0.5, "held-out"],
    ]


def test_speed_comes_from_its_own_field() -> None:
    assert curve_frame({"run": events()}, BY_LABEL["train_tokens"])["value"].tolist() == [10.0, 20.0, 30.0]


def test_several_runs_are_told_apart_by_name() -> None:
    frame = curve_frame({"a": events(), "b": events()[:1]}, BY_LABEL["train_logps"])
    assert frame.groupby("series").size().to_dict() == {"a · chosen": 3, "b · chosen": 1}


def test_a_run_without_numbers_gives_an_empty_table() -> None:
    frame = curve_frame({"run": []}, BY_LABEL["train_loss"])
    assert list(frame.columns) == ["step", "value", "series"]
    assert frame.empty


def test_smoothing_keeps_the_first_point_and_a_constant_series() -> None:
    assert [v for _, v in smoothed([(1, 5.0), (2, 5.0), (3, 5.0)], 0.9)] == pytest.approx([5.0, 5.0, 5.0])
    points = list(smoothed([(1, 0.0), (2, 10.0)], 0.5))
    assert points[0] == (1, 0.0)
    assert points[1][1] == pytest.approx(10 / 1.5)
    assert list(smoothed([(1, 1.0), (2, 9.0)], 0.0)) == [(1, 1.0), (2, 9.0)]
