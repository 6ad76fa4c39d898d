"""The share of recommendations that are popular items."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.evaluation.ranking import Ints

HEAD = 0.2
"""The share of the interactions' items that are called popular."""


def popular_items(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """The 20% most frequent of the items that occur at all; `counts` has shape (items,)."""
    seen = int(np.count_nonzero(counts))
    popular = np.zeros(len(counts), dtype=bool)
    popular[np.argsort(-counts, kind="stable")[: int(np.ceil(HEAD * seen))]] = True
    return popular & (counts > 0)


def popular_share(lists: Ints, popular: npt.NDArray[np.bool_]) -> float:
    """The share of all entries of `lists` (cases, length) that are `popular`."""
    return float(np.mean(popular[lists]))
