"""Recency-weighted max-similarity and BM25 as one ranking, fused in the two usual ways."""

from __future__ import annotations

from recsys.evaluation.cases import Case
from recsys.evaluation.methods.bm25 import BM25
from recsys.evaluation.methods.similarity import RecentMaxSimilarity
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.fusion import reciprocal_rank_fusion, sum_of_zscores


class FusedByRank:
    """Reciprocal rank fusion."""

    def __init__(self, bench: Workbench) -> None:
        self._parts = (RecentMaxSimilarity(bench), BM25(bench))

    def scores(self, case: Case) -> Scores:
        """See `reciprocal_rank_fusion`."""
        return reciprocal_rank_fusion([part.scores(case) for part in self._parts])


class FusedByScore:
    """The sum of standardised scores."""

    def __init__(self, bench: Workbench) -> None:
        self._parts = (RecentMaxSimilarity(bench), BM25(bench))

    def scores(self, case: Case) -> Scores:
        """See `sum_of_zscores`."""
        return sum_of_zscores([part.scores(case) for part in self._parts])
