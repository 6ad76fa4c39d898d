"""How often an annotator who sees a prompt a second time chooses the same best and the same worst."""

from __future__ import annotations

from collections import defaultdict

from annotation.quality.measure import Measure, Part, share, tags
from annotation.snapshot import Snapshot

ENOUGH = 5


def repeats(snapshot: Snapshot) -> Measure:
    """Self-agreement: the share of tags (two a prompt) that are the same the second time."""
    first = {
        (prompt.id, rating.judgement.annotator): tags(prompt, rating)
        for prompt in snapshot.prompts
        for rating in prompt.ratings
    }
    same: dict[str, list[bool]] = defaultdict(list)
    for prompt in snapshot.prompts:
        for rating in prompt.ratings:
            before = first.get((prompt.repeat_of or "", rating.judgement.annotator))
            if before is not None:
                # Candidates are copied in the order of sampling, so positions can be compared.
                again = tags(prompt, rating)
                same[rating.judgement.annotator] += [a == b for a, b in zip(before, again, strict=True)]
    every = [hit for hits in same.values() for hit in hits]
    parts = tuple(Part(name, share(hits, ENOUGH), len(hits)) for name, hits in sorted(same.items()))
    return Measure("repeats", "share", share(every, ENOUGH), len(every), ENOUGH, "tags", parts)
