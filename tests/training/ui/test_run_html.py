"""The panel of a run's state."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from training.runs.events import Event, MeasuringEvent, MetricsEvent, ReferenceEvent
from training.runs.status import RunStatus
from training.ui.run_html import run_html

ASKED = ReferenceEvent(pairs_done=80, pairs=200, eta_s=90)
STEP = MetricsEvent(step=3, steps=9, values={"loss": 0.5})


def status(**changes: object) -> RunStatus:
    known: dict[str, object] = {
        "run_id": "dpo-1", "kind": "dpo", "name": "<b>mine</b>", "state": "training", "reason": "", "step": 0,
        "steps": 0, "eta_s": None, "metrics": {}, "created": datetime(2026, 11, 1, tzinfo=UTC),
    }  # fmt: skip
    return RunStatus(**(known | changes))  # type: ignore[arg-type]


def test_before_the_first_step_it_says_how_far_the_reference_is() -> None:
    found = run_html(status(), [ASKED], "en")
    assert "log-probabilities, 80 of 200 pairs" in found
    assert "about 2 min" in found or "about 1 min" in found
    assert "200쌍 중 80쌍" in run_html(status(), [ASKED], "ko")


@pytest.mark.parametrize(
    ("events", "changes"),
    [
        ([ASKED, STEP], {"step": 3, "steps": 9}),
        ([ASKED, ReferenceEvent(pairs_done=200, pairs=200, eta_s=0)], {}),
        ([ASKED], {"state": "failed"}),
        ([], {}),
    ],
)
def test_afterwards_it_does_not(events: list[Event], changes: dict[str, object]) -> None:
    assert "pairs" not in run_html(status(**changes), events, "en")


def test_a_run_that_goes_on_asks_the_reference_again() -> None:
    found = run_html(status(step=3, steps=9, eta_s=5000.0), [STEP, ASKED], "en")
    assert "Step 3 of 9" in found
    assert "80 of 200 pairs" in found
    assert found.count("left") == 1


def test_it_says_how_far_a_measurement_is() -> None:
    at = MeasuringEvent(rows_done=30, rows=120, eta_s=90)
    first = run_html(status(), [at], "en")
    assert "held-out rows, 30 of 120" in first
    assert first.count("left") == 1
    later = run_html(status(step=3, steps=9, eta_s=5000.0), [STEP, at], "ko")
    assert "120행 중 30행" in later
    assert "83분" in later  # until the end of the run, not of the measurement
    measured = MetricsEvent(split="held-out", step=3, steps=9, values={"loss": 0.4})
    assert "30" not in run_html(status(step=3, steps=9), [STEP, at, measured], "en")


def test_names_are_escaped() -> None:
    assert "&lt;b&gt;mine" in run_html(status(), [], "en")
