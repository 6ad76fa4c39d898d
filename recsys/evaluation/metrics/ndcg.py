"""Normalised discounted cumulative gain, with targets as good as each other."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.ranking import Ints


def ndcg(ranks: Ints, k: int) -> float:
    """The sum over targets among the first `k` of 1 / log2(1 + rank), as a share of the best that it can be.

    Järvelin and Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques" (2002).
    """
    gain = float(np.sum(1.0 / np.log2(1.0 + ranks[ranks <= k])))
    best = float(np.sum(1.0 / np.log2(1.0 + np.arange(1, min(len(ranks), k) + 1))))
    return gain / best
