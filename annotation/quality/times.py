"""Active seconds that a judged prompt takes; what `annotation.activity` counts as active."""

from __future__ import annotations

import statistics
from collections import defaultdict

from annotation.quality.measure import Measure, Part
from annotation.snapshot import Snapshot

ENOUGH = 5


def times(snapshot: Snapshot) -> Measure:
    """The median over judged prompts, and each annotator's."""
    seconds = active_seconds(snapshot)
    every = [s for own in seconds.values() for s in own]
    parts = tuple(Part(name, _median(own), len(own)) for name, own in sorted(seconds.items()))
    return Measure("times", "seconds", _median(every), len(every), ENOUGH, "judgements", parts)


def active_seconds(snapshot: Snapshot) -> dict[str, list[float]]:
    """The active seconds of each judged prompt, by annotator; those without any time are left out."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for _, rating in snapshot.ratings():
        if rating.seconds:
            seconds[rating.judgement.annotator].append(rating.seconds)
    return seconds


def _median(seconds: list[float]) -> float | None:
    return statistics.median(seconds) if len(seconds) >= ENOUGH else None
