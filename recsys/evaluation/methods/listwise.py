"""The language model is shown the first retrieved items and chooses one, which goes on top."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.cases import Case
from recsys.evaluation.methods.playground import Playground
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.answer_text import named_title
from recsys.retrieval.likelihood import candidates
from recsys.retrieval.titles import TitleMatcher

_SHOWN = 10


class Listwise:
    """Sun et al., "Is ChatGPT Good at Search?", EMNLP 2023, reduced to one choice: the small models do not
    keep to a list. An answer that names none of the items changes nothing."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._playground = Playground(bench)

    def scores(self, case: Case) -> Scores:
        """The playground's scores with the chosen item first."""
        data, answering = self._bench.data, self._bench.answering
        assert answering is not None
        scores = self._playground.scores(case)
        left_out = case.history if data.same_catalogue else ()
        shown = candidates(scores, _SHOWN, left_out).tolist()
        items = [data.items[position] for position in shown]
        answer = answering.choice(self._bench.history(case), items)
        chosen = TitleMatcher(items).match(named_title(answer))
        result = scores.copy()
        if chosen is not None:
            result[shown[chosen]] = float(np.max(scores)) + 1.0
        return result
