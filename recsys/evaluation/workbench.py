"""What methods share: the vectors of catalogue and histories, made once, and everything derived from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

import numpy as np

from recsys.catalog import Item
from recsys.evaluation.answering import Answering
from recsys.evaluation.cases import Case, EvaluationData
from recsys.evaluation.ranking import Scores
from recsys.retrieval.chunks import Chunker
from recsys.retrieval.embedders import Embedder, Vectors
from recsys.retrieval.hyde import SearchWeights
from recsys.retrieval.item_matrix import ItemMatrix, unit
from recsys.retrieval.likelihood import candidates
from recsys.retrieval.ranker import CatalogRanker, RankerSettings, Wanted, words_of
from recsys.retrieval.search_scores import search_scores

_SIMILARITIES_KEPT = 64


class Workbench:
    """One dataset with one embedder, and with a language model where `answering` is given."""

    def __init__(
        self,
        data: EvaluationData,
        embedder: Embedder,
        *,
        seed: int = 0,
        settings: RankerSettings | None = None,
        answering: Answering | None = None,
    ) -> None:
        self.data = data
        self.embedder = embedder
        self.seed = seed
        self.settings = settings or RankerSettings()
        self.answering = answering
        self.cosines: Callable[[Case], Vectors] = lru_cache(_SIMILARITIES_KEPT)(self._cosines)
        """Of each history item with each catalogue item: shape (history, items), oldest first."""

    @cached_property
    def ranker(self) -> CatalogRanker:
        """The catalogue as the playground would rank it."""
        return CatalogRanker(self.data.items, self.matrix)

    @cached_property
    def matrix(self) -> ItemMatrix:
        """The chunks of the catalogue."""
        return embed_items(self.data.items, self.embedder)

    @cached_property
    def sources(self) -> ItemMatrix:
        """The chunks of what the histories are made of; the catalogue's own where they are the same."""
        if self.data.same_catalogue:
            return self.matrix
        return embed_items(self.data.sources, self.embedder)

    def embed(self) -> None:
        """Embed everything now, which is otherwise done when it is first asked for."""
        _ = self.matrix, self.sources

    def history(self, case: Case) -> tuple[Item, ...]:
        """The items that the person liked, oldest first."""
        return tuple(self.data.sources[position] for position in case.history)

    def vectors(self, case: Case) -> Vectors:
        """Of the history's items, not centred: shape (history, dimension)."""
        return self.sources.item_vectors[list(case.history)]

    def centred(self, case: Case) -> Vectors:
        """The same without what all sources have in common."""
        return self.vectors(case) - self.sources.centre

    def wanted(self, case: Case, answers: Sequence[str] = ()) -> Wanted:
        """The case as the playground's ranker takes it."""
        answer_vectors = self.answer_vectors(answers)
        return Wanted(self.history(case), self.centred(case), answer_vectors=tuple(answer_vectors))

    def answer_vectors(self, answers: Sequence[str]) -> Vectors:
        """Of texts that a model wrote, centred: shape (answers, dimension)."""
        texts = [text for text in answers if text.strip()]
        if not texts:
            return np.zeros((0, self.embedder.dimension), np.float32)
        return self.embedder.embed_passages(texts) - self.matrix.centre

    def default_scores(
        self, case: Case, answers: Sequence[str] = (), settings: RankerSettings | None = None
    ) -> Scores:
        """What the playground does with a history, out of the box unless there are other `settings`.

        A history of other catalogues is searched with as `recsys.recommend` does: with one vector of it and
        the `answers`, and its words.
        """
        used = settings or self.settings
        if self.data.same_catalogue:
            return self.ranker.scores(self.wanted(case), used)
        texts = [words_of(item) for item in self.history(case)]
        return search_scores(self.ranker, self.search_vector(case, answers), texts, used.keywords)

    def candidates(self, case: Case, count: int, settings: RankerSettings | None = None) -> list[Item]:
        """The first `count` items that a history gives without an answer, for the model to choose from."""
        if not count:
            return []
        left_out = case.history if self.data.same_catalogue else ()
        chosen = candidates(self.default_scores(case, (), settings), count, left_out)
        return [self.data.items[position] for position in chosen.tolist()]

    def search_vector(self, case: Case, answers: Sequence[str] = ()) -> Vectors:
        """As `recsys.retrieval.hyde` makes it of items that are in no catalogue: shape (dimension,)."""
        titles = [item.title for item in self.history(case)]
        asked = np.mean(self.embedder.embed_queries(titles) - self.matrix.centre, axis=0)
        total: Vectors = unit(asked)
        vectors = self.answer_vectors(answers)
        if len(vectors):
            total += SearchWeights().answer * unit(np.mean(unit(vectors), axis=0))
        return unit(total)

    def _cosines(self, case: Case) -> Vectors:
        return self.matrix.cosines(self.vectors(case))


def embed_items(items: Sequence[Item], embedder: Embedder) -> ItemMatrix:
    """Every item's chunks, cut and headed as in an index."""
    chunker = Chunker(embedder.count_tokens)
    texts: list[str] = []
    starts: list[int] = []
    for item in items:
        starts.append(len(texts))
        texts += [chunk.embedded for chunk in chunker.chunks(item)]
    return ItemMatrix(embedder.embed_passages(texts), np.array(starts, dtype=np.int64))
