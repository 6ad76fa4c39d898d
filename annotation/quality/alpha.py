"""Krippendorff's alpha (nominal) of which candidate is best, and of which is worst.

Krippendorff, "Content Analysis" (2004), chapter 11: 1 − observed over expected disagreement. Units are
prompts that at least two annotators judged; values are the candidates' positions in the order of sampling,
which says nothing about them, so chance agreement is what the values' frequencies give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from annotation.quality.measure import Measure, ordinary, tags
from annotation.records import CANDIDATES
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
    """Alpha of how many chose each position, a unit; None where only one position was ever chosen."""
    import krippendorff

    if len(set().union(*votes)) < 2:
        return None
    counts = [[unit[position] for position in range(CANDIDATES)] for unit in votes]
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))
