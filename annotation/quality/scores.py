"""Best-worst scores (Louviere, Flynn and Marley, 2015): how models and adapters compare.

A model's score is (times best − times worst) / times shown in a judged prompt, from −1 to 1. It compares
models within the same prompts, so there is none while one model writes all five.
"""

from __future__ import annotations

from collections import Counter

from annotation.quality.measure import Measure, Part, ordinary
from annotation.snapshot import Snapshot, SnapshotCandidate

ENOUGH = 2
_SHOWN = 20
"""A model that was shown less often has no score yet."""


def scores(snapshot: Snapshot) -> Measure:
    """One part a model and adapter, the highest score first; the measure itself has no single value."""
    shown, balance = Counter[str](), Counter[str]()
    for prompt in ordinary(snapshot):
        for rating in prompt.ratings:
            shown.update(_name(candidate) for candidate in prompt.candidates)
            for chosen, point in ((rating.judgement.best, 1), (rating.judgement.worst, -1)):
                balance[_name(prompt.candidates[prompt.position(chosen)])] += point
    parts = [
        Part(name, balance[name] / count if count >= _SHOWN and len(shown) >= ENOUGH else None, count)
        for name, count in sorted(shown.items())
    ]
    parts.sort(key=lambda part: -2.0 if part.value is None else part.value, reverse=True)
    return Measure("scores", "score", None, len(shown), ENOUGH, "models", tuple(parts))


def _name(candidate: SnapshotCandidate) -> str:
    return candidate.model if candidate.adapter is None else f"{candidate.model}+{candidate.adapter}"
