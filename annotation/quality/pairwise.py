"""How often two annotators of the same prompt choose the same best, and the same worst."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

from annotation.quality.measure import Measure, Part, ordinary, share, tags
from annotation.snapshot import Snapshot

ENOUGH = 10


def pairwise(snapshot: Snapshot) -> list[Measure]:
    """Raw agreement for best and for worst, each with every pair of annotators as a part."""
    measures = []
    for which, name in enumerate(("best", "worst")):
        same: dict[tuple[str, str], list[bool]] = defaultdict(list)
        for prompt in ordinary(snapshot):
            chosen = {r.judgement.annotator: tags(prompt, r)[which] for r in prompt.ratings}
            for a, b in combinations(sorted(chosen), 2):
                same[a, b].append(chosen[a] == chosen[b])
        every = [hit for hits in same.values() for hit in hits]
        parts = tuple(Part(f"{a} – {b}", share(h, ENOUGH), len(h)) for (a, b), h in sorted(same.items()))
        value = share(every, ENOUGH)
        measures.append(Measure(f"pairwise_{name}", "share", value, len(every), ENOUGH, "pairs", parts))
    return measures
