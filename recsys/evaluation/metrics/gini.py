"""Gini coefficient: how unevenly recommendations fall on the items."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.ranking import Ints


def gini(lists: Ints, items: int) -> float:
    """0 when every one of `items` is recommended equally often, near 1 when a few are always.

    `lists` has shape (cases, length); items that are never recommended count as 0.
    """
    counts = np.sort(np.bincount(lists.ravel(), minlength=items)).astype(np.float64)
    weights = 2 * np.arange(1, items + 1) - items - 1
    return float(np.sum(weights * counts) / (items * np.sum(counts)))
