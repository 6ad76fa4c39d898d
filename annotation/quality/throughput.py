"""Judgements an active hour."""

from __future__ import annotations

from annotation.quality.measure import Measure, Part
from annotation.quality.times import ENOUGH, active_seconds
from annotation.snapshot import Snapshot


def throughput(snapshot: Snapshot) -> Measure:
    """For one annotator on average, and for each."""
    seconds = active_seconds(snapshot)
    parts = tuple(Part(name, _rate(own), len(own)) for name, own in sorted(seconds.items()))
    every = [s for own in seconds.values() for s in own]
    return Measure("throughput", "rate", _rate(every), len(every), ENOUGH, "judgements", parts)


def _rate(seconds: list[float]) -> float | None:
    return 3600 * len(seconds) / sum(seconds) if len(seconds) >= ENOUGH else None
