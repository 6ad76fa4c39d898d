"""Cosines of the history's vectors with the catalogue's, put together in the usual ways, without a model."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.cases import Case
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.history_scores import nearest

_OLDEST = 0.9


class LastItem:
    """The last item's vector alone."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def scores(self, case: Case) -> Scores:
        """Cosine with the last item."""
        last: Scores = self._bench.cosines(case)[-1]
        return last


class MeanHistory:
    """The mean of the history's vectors."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def scores(self, case: Case) -> Scores:
        """Cosine with the mean."""
        mean = np.mean(self._bench.vectors(case), axis=0, keepdims=True)
        found: Scores = self._bench.matrix.cosines(mean)[0]
        return found


class MaxSimilarity:
    """Each item by the history item nearest to it; older ones count for as little as `oldest`."""

    def __init__(self, bench: Workbench, oldest: float = 1.0) -> None:
        self._bench = bench
        self._oldest = oldest

    def scores(self, case: Case) -> Scores:
        """The largest weighted cosine."""
        return nearest(self._bench.cosines(case), self._oldest)


class RecentMaxSimilarity(MaxSimilarity):
    """Weights that rise from 0.9 for the oldest item to 1 for the last."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench, _OLDEST)


class CentredMaxSimilarity:
    """Max-similarity of centred vectors, with the playground's own weights: its first signal alone."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def scores(self, case: Case) -> Scores:
        """The largest weighted cosine of centred vectors."""
        similarities = self._bench.matrix.centred_cosines(self._bench.centred(case))
        return nearest(similarities, self._bench.settings.oldest)
