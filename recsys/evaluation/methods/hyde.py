"""HyDE: the catalogue is searched with what a language model wrote (Gao et al., arXiv 2212.10496)."""

from __future__ import annotations

from enum import Enum

import numpy as np

from recsys.evaluation.answering import ANSWERS
from recsys.evaluation.cases import Case
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.answer_text import named_title, without_reasoning
from recsys.retrieval.embedders import Vectors
from recsys.retrieval.item_matrix import unit


class Part(Enum):
    """What of an answer is embedded."""

    WHOLE = "whole"
    CONCLUSION = "conclusion"
    NAMED = "named"


class Hyde:
    """The mean vector of `count` answers, each cut to `part`, alone or with the mean of the history's
    vectors, all centred."""

    def __init__(
        self, bench: Workbench, *, part: Part = Part.WHOLE, count: int = 1, with_history: bool = False
    ) -> None:
        self._bench = bench
        self._part = part
        self._count = count
        self._with_history = with_history

    def scores(self, case: Case) -> Scores:
        """Centred cosines with the mean; zeros where the model wrote nothing that can be used."""
        vectors = list(unit(self._bench.answer_vectors(self._texts(case))))
        query = [np.mean(vectors, axis=0)] if vectors else []
        if self._with_history:
            query.append(unit(np.mean(self._bench.centred(case), axis=0)))
        if not query:
            return np.zeros(len(self._bench.data.items), np.float32)
        mean: Vectors = np.mean(query, axis=0, keepdims=True)
        found: Scores = self._bench.matrix.centred_cosines(mean)[0]
        return found

    def _texts(self, case: Case) -> list[str]:
        assert self._bench.answering is not None
        answers = self._bench.answering.answers(self._bench.history(case), self._count)
        if self._part is Part.CONCLUSION:
            return [without_reasoning(answer) for answer in answers]
        if self._part is Part.NAMED:
            return [named for answer in answers if (named := named_title(answer))]
        return answers


class Averaged(Hyde):
    """The mean of four answers."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench, count=ANSWERS)


class HydeFused:
    """The playground's ranking with the answer as one more signal."""

    WEIGHT = 0.3

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._settings = bench.settings.model_copy(update={"answer": self.WEIGHT})

    def scores(self, case: Case) -> Scores:
        """See `CatalogRanker.scores`; the answer counts without its first sentence.

        For a history of other catalogues, where the answer counts anyhow, it is written from memory here.
        """
        bench = self._bench
        assert bench.answering is not None
        answers = [without_reasoning(answer) for answer in bench.answering.answers(bench.history(case))]
        if not bench.data.same_catalogue:
            return bench.default_scores(case, answers)
        return bench.ranker.scores(bench.wanted(case, answers), self._settings)
