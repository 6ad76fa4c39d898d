"""What the playground does with a history, whole, without one of its signals, and made more diverse."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.cases import Case
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.diversity import DiversitySettings, diverse
from recsys.retrieval.likelihood import candidates
from recsys.retrieval.ranker import RankerSettings


class Playground:
    """The playground's ranker; `changes` are settings that differ from its own."""

    def __init__(self, bench: Workbench, **changes: float | str) -> None:
        self._bench = bench
        self._settings = RankerSettings.model_validate({**bench.settings.model_dump(), **changes})

    def scores(self, case: Case) -> Scores:
        """See `CatalogRanker.scores`."""
        return self._bench.ranker.scores(self._bench.wanted(case), self._settings)


_DUPLICATE = 0.9


class DiversePlayground:
    """The playground's first items in the order of maximal marginal relevance, editions of one as one."""

    def __init__(self, bench: Workbench, mmr: float) -> None:
        self._bench = bench
        self._playground = Playground(bench)
        self._settings = DiversitySettings(mmr=mmr, duplicate=_DUPLICATE)

    def scores(self, case: Case) -> Scores:
        """The playground's scores with its first items put in another order, near-duplicates below them."""
        data, matrix = self._bench.data, self._bench.matrix
        scores = self._playground.scores(case)
        left_out = case.history if data.same_catalogue else ()
        chosen = candidates(scores, self._settings.depth, left_out)
        found = diverse(data.items, chosen, scores, matrix.item_vectors - matrix.centre, self._settings)
        result = scores.copy()
        result[found] = float(np.max(scores)) + 1.0 + np.arange(len(found), 0, -1, dtype=np.float32)
        return result
