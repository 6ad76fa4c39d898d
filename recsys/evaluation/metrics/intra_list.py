"""Intra-list similarity: how alike the items of one list are."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.ranking import Ints
from recsys.retrieval.embedders import Vectors


def intra_list_similarity(top: Ints, vectors: Vectors) -> float:
    """The mean cosine of all pairs in `top`; `vectors` (items, dimension) have length 1.

    Ziegler et al., "Improving Recommendation Lists Through Topic Diversification" (2005). 0 for a list
    of one.
    """
    count = len(top)
    if count < 2:
        return 0.0
    rows = vectors[top]
    total = float(np.sum(rows @ rows.T)) - float(np.sum(rows * rows))
    return total / (count * (count - 1))
