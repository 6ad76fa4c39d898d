"""Whether annotators, or the task, prefer long answers."""

from __future__ import annotations

from collections import defaultdict

from annotation.quality.measure import Measure, Part, share
from annotation.snapshot import Snapshot

ENOUGH = 20


def length(snapshot: Snapshot) -> list[Measure]:
    """How often the best answer is longer than the worst, and the exact binomial test against a half.

    Lengths are in characters; judgements between two of the same length are left out.
    """
    from scipy.stats import binomtest

    longer: dict[str, list[bool]] = defaultdict(list)
    for prompt, rating in snapshot.ratings():
        best, worst = (
            len(prompt.candidates[prompt.position(chosen)].text)
            for chosen in (rating.judgement.best, rating.judgement.worst)
        )
        if best != worst:
            longer[rating.judgement.annotator].append(best > worst)
    every = [hit for hits in longer.values() for hit in hits]
    parts = tuple(Part(name, share(hits, ENOUGH), len(hits)) for name, hits in sorted(longer.items()))
    p = float(binomtest(sum(every), len(every)).pvalue) if len(every) >= ENOUGH else None
    return [
        Measure("length", "share", share(every, ENOUGH), len(every), ENOUGH, "judgements", parts),
        Measure("length_test", "p", p, len(every), ENOUGH, "judgements"),
    ]
