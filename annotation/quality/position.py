"""Whether some places on the page are chosen more often than others, which the drawn order rules out.

Pearson's chi-square test against the uniform distribution, four degrees of freedom; with fewer than five
expected choices a place it is not valid, and there is no value.
"""

from __future__ import annotations

from annotation.quality.measure import Measure, Part, tags
from annotation.records import CANDIDATES
from annotation.snapshot import Snapshot

ENOUGH = 5 * CANDIDATES


def position(snapshot: Snapshot) -> list[Measure]:
    """The test's p for best and for worst; parts are the share of each place, 1 to 5."""
    from scipy.stats import chisquare

    measures = []
    for which, name in enumerate(("best", "worst")):
        counts = [0] * CANDIDATES
        for prompt, rating in snapshot.ratings():
            counts[rating.order.index(tags(prompt, rating)[which])] += 1
        total = sum(counts)
        value = float(chisquare(counts).pvalue) if total >= ENOUGH else None
        parts = tuple(
            Part(str(place), count / total if total else None, count) for place, count in enumerate(counts, 1)
        )
        measures.append(Measure(f"position_{name}", "p", value, total, ENOUGH, "judgements", parts))
    return measures
