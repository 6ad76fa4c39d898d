"""Krippendorff's alpha (nominal) of which candidate is best, and of which is worst.

Krippendorff, "Content Analysis" (2004), chapter 11: 1 − observed over expected disagreement. Units are
prompts that at least two annotators judged; values are the candidates' positions in the order of sampling,
which says nothing about them, so chance agreement is what the values' frequencies give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from annotation.quality.measure import Measure, ordinary, tags
from annotation.snapshot import Snapshot

ENOUGH = 10
"""Prompts judged twice or more, below which alpha says more about chance than about agreement."""


def alpha(snapshot: Snapshot) -> list[Measure]:
    """Alpha for best and for worst."""
    shared = [prompt for prompt in ordinary(snapshot) if len(prompt.ratings) > 1]
    measures = []
    for which, name in enumerate(("best", "worst")):
        votes = [Counter(tags(prompt, rating)[which] for rating in prompt.ratings) for prompt in shared]
        value = nominal_alpha(votes) if len(votes) >= ENOUGH else None
        measures.append(Measure(f"alpha_{name}", "alpha", value, len(votes), ENOUGH, "prompts"))
    return measures


def nominal_alpha(votes: Sequence[Counter[int]]) -> float | None:
    """Alpha of how many chose each position, a unit; None where only one position was ever chosen.

    Units with fewer than two votes say nothing about agreement and are passed over.
    """
    paired = [unit for unit in votes if unit.total() > 1]
    chosen: Counter[int] = sum(paired, Counter())
    total = chosen.total()
    if len(+chosen) < 2:
        return None
    observed = sum(_unlike(unit) / (unit.total() - 1) for unit in paired)
    return 1 - (total - 1) * observed / _unlike(chosen)


def _unlike(counts: Counter[int]) -> int:
    """Ordered pairs of votes for different positions."""
    return counts.total() ** 2 - sum(count**2 for count in counts.values())
