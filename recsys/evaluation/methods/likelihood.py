"""Re-ranking by the language model's own likelihood of retrieved titles, against the titles alone."""

from __future__ import annotations

from recsys.evaluation.cases import Case
from recsys.evaluation.methods.playground import Playground
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.likelihood import RerankSettings, candidates, reranked


class Likelihood:
    """The playground's first items in the order of log p(title | history) - log p(title).

    With `keep` the playground's own score counts for as much as `RerankSettings.weight` leaves it.
    """

    def __init__(self, bench: Workbench, *, keep: bool) -> None:
        self._bench = bench
        self._playground = Playground(bench)
        self._settings = RerankSettings(retrieved=1.0 if keep else 0.0)

    def scores(self, case: Case) -> Scores:
        """The playground's scores with its first items put in another order."""
        answering = self._bench.answering
        assert answering is not None
        scores = self._playground.scores(case)
        left_out = case.history if self._bench.data.same_catalogue else ()
        chosen = candidates(scores, self._settings.depth, left_out)
        history = self._bench.history(case)
        given, alone = answering.pmi(history, [self._bench.data.items[position] for position in chosen])
        return reranked(scores, chosen, given, alone, self._settings)
