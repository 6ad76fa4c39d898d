"""Several rankings as one. Scores have shape (items,), higher is better."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.retrieval.keywords import Scores

RRF_K = 60


def standardised(scores: Scores) -> Scores:
    """Mean 0 and standard deviation 1; zeros where all are equal."""
    spread = float(np.std(scores))
    if spread < 1e-9:
        return np.zeros_like(scores)
    scaled: Scores = ((scores - np.mean(scores)) / spread).astype(np.float32)
    return scaled


def sum_of_zscores(rankings: Sequence[Scores], weights: Sequence[float] | None = None) -> Scores:
    """The weighted sum of standardised scores."""
    factors = weights or [1.0] * len(rankings)
    total = np.zeros_like(rankings[0])
    for scores, factor in zip(rankings, factors, strict=True):
        total += factor * standardised(scores)
    return total


def reciprocal_rank_fusion(rankings: Sequence[Scores], weights: Sequence[float] | None = None) -> Scores:
    """The weighted sum of 1 / (60 + rank).

    Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank
    Learning Methods", SIGIR 2009. Equal scores share the mean of their ranks.
    """
    factors = weights or [1.0] * len(rankings)
    total = np.zeros(len(rankings[0]), dtype=np.float32)
    for scores, factor in zip(rankings, factors, strict=True):
        total += factor / (RRF_K + _mean_ranks(scores))
    return total


def _mean_ranks(scores: Scores) -> Scores:
    _, inverse, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Scores = (last - (counts - 1) / 2)[inverse].astype(np.float32)
    return ranks
