"""BM25 on the history: its items' words as one query."""

from __future__ import annotations

from recsys.evaluation.cases import Case
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.ranker import words_of


class BM25:
    """See `recsys.retrieval.keywords`."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def scores(self, case: Case) -> Scores:
        """The sum over the history's items."""
        texts = [words_of(item) for item in self._bench.history(case)]
        return self._bench.ranker.keywords.scores(texts)
