"""Hit rate: whether a target is among the first k."""

from __future__ import annotations

from recsys.evaluation.ranking import Ints


def hit_rate(ranks: Ints, k: int) -> float:
    """1 if any target's rank is at most `k`, otherwise 0."""
    return float(ranks[0] <= k)
