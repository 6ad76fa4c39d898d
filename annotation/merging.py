"""Several annotators' tags on one prompt: how much they disagree, what most say, how many agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from annotation.preference import ordered_texts

Tags = tuple[int, int]
"""Sampling positions of the best and of the worst candidate."""


def disagreement(tags: Sequence[Tags]) -> float:
    """The mean over pairs of annotators, of how many of their two tags differ: 0.0 (none) to 1.0.

    0.0 for fewer than two annotators.
    """
    pairs = list(combinations(tags, 2))
    if not pairs:
        return 0.0
    return sum((a[0] != b[0]) + (a[1] != b[1]) for a, b in pairs) / (2 * len(pairs))


def majority(tags: Sequence[Tags]) -> Tags | None:
    """The best and the worst that got most votes; None where a vote is tied or both name the same."""
    best, worst = (_winner([tag[which] for tag in tags]) for which in (0, 1))
    return None if best is None or worst is None or best == worst else (best, worst)


def agreement(texts: list[str], tags: Sequence[Tags]) -> dict[tuple[str, str], float]:
    """For each ordering that somebody's tags imply, the share who imply it of those who order the two."""
    votes = Counter(pair for best, worst in tags for pair in ordered_texts(texts, best, worst, "all"))
    return {(a, b): count / (count + votes[(b, a)]) for (a, b), count in votes.items()}


def _winner(votes: Sequence[int]) -> int | None:
    ranked = Counter(votes).most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]
