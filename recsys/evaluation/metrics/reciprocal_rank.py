"""Reciprocal rank; its mean over cases is MRR."""

from __future__ import annotations

from recsys.evaluation.ranking import Ints


def reciprocal_rank(ranks: Ints) -> float:
    """1 / rank of the first target, over the whole list."""
    return 1.0 / float(ranks[0])
