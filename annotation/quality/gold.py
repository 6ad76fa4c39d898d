"""How many of the tags that are known each annotator gave."""

from __future__ import annotations

from annotation.quality.measure import Measure, Part
from annotation.selection import gold_scores
from annotation.snapshot import Snapshot

ENOUGH = 5


def gold(snapshot: Snapshot) -> Measure:
    """Accuracy over all annotators, and each one's."""
    scores = gold_scores(snapshot)
    right, asked = (sum(score[i] for score in scores.values()) for i in (0, 1))
    parts = tuple(
        Part(name, hits / total if total >= ENOUGH else None, total)
        for name, (hits, total) in sorted(scores.items())
    )
    value = right / asked if asked >= ENOUGH else None
    return Measure("gold", "share", value, asked, ENOUGH, "tags", parts)
