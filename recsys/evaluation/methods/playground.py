"""What the playground does with a history, whole, without one of its signals, and made more diverse."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.cases import Case
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.diversity import DiversitySettings, diverse
from recsys.retrieval.likelihood import candidates
from recsys.retrieval.ranker import RankerSettings
from recsys.retrieval.settings import RetrievalSettings

_CANDIDATES = RetrievalSettings().candidates


class Playground:
    """What the playground does; `changes` are settings of its ranker that differ from its own.

    For a history of other catalogues the answer of the model counts too, where there is one and `answer`;
    it is `shown` the first items that there would be without it.
    """

    def __init__(
        self, bench: Workbench, *, answer: bool = True, shown: int = _CANDIDATES, **changes: float | str
    ) -> None:
        self._bench = bench
        self._shown = shown
        self._settings = RankerSettings.model_validate({**bench.settings.model_dump(), **changes})
        self._answer = answer and not bench.data.same_catalogue

    def scores(self, case: Case) -> Scores:
        """See `Workbench.default_scores`."""
        answers: list[str] = []
        if self._answer and self._bench.answering is not None:
            shown = self._bench.candidates(case, self._shown, self._settings)
            answers = self._bench.answering.answers(self._bench.history(case), candidates=shown)
        return self._bench.default_scores(case, answers, self._settings)


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
