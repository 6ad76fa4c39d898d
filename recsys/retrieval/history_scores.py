"""From the similarities of a history's items to one score an item.

All take `similarities` of shape (history, items), oldest first, and return shape (items,).
"""

from __future__ import annotations

import numpy as np

from recsys.retrieval.embedders import Vectors
from recsys.retrieval.keywords import Scores


def rising_weights(count: int, oldest: float) -> Vectors:
    """Weights that rise evenly from `oldest` to 1, the weight of the last item."""
    return np.linspace(oldest, 1.0, count, dtype=np.float32) if count > 1 else np.ones(count, np.float32)


def fading_weights(count: int, factor: float) -> Vectors:
    """1 for the last item, and `factor` times as much for each before it."""
    weights: Vectors = (factor ** np.arange(count - 1, -1, -1)).astype(np.float32)
    return weights


def nearest(similarities: Vectors, oldest: float = 1.0) -> Scores:
    """Max-similarity: each item counts by the history item nearest to it, with `rising_weights`.

    What somebody wants next is near to one thing that they liked, seldom to the mean of all.
    """
    weighted = rising_weights(len(similarities), oldest)[:, None] * similarities
    best: Scores = np.max(weighted, axis=0)
    return best


def faded_sum(similarities: Vectors, factor: float) -> Scores:
    """The sum with `fading_weights`."""
    total: Scores = fading_weights(len(similarities), factor) @ similarities
    return total
