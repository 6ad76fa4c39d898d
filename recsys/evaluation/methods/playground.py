"""What the playground does with a history, whole and without one of its signals."""

from __future__ import annotations

from recsys.evaluation.cases import Case
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.ranker import RankerSettings


class Playground:
    """The playground's ranker; `changes` are settings that differ from its own."""

    def __init__(self, bench: Workbench, **changes: float) -> None:
        self._bench = bench
        self._settings = RankerSettings.model_validate({**bench.settings.model_dump(), **changes})

    def scores(self, case: Case) -> Scores:
        """See `CatalogRanker.scores`."""
        return self._bench.ranker.scores(self._bench.wanted(case), self._settings)
