"""Popularity: the same list for everybody, by what others liked before. In-domain, not zero-shot."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.cases import Case
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench


class Popularity:
    """Positives of an item before the split."""

    def __init__(self, bench: Workbench) -> None:
        self._counts: Scores = np.asarray(bench.data.known.sum(axis=0), dtype=np.float32).ravel()

    def scores(self, case: Case) -> Scores:
        """The counts."""
        return self._counts
