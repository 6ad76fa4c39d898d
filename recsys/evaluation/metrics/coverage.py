"""Catalogue coverage: how much of the catalogue is ever recommended."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.ranking import Ints


def coverage(lists: Ints, items: int) -> float:
    """The share of `items` that is in any list; `lists` has shape (cases, length)."""
    return len(np.unique(lists)) / items
