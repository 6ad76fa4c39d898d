"""History or query in; the answer as it is written, then real items, out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from recsys.catalog import History, Item
from recsys.errors import EmptyRequestError, InputError, NotReadyError, TextTooLongError
from recsys.llm.base import Request, Sampling
from recsys.llm.pool import ModelPool
from recsys.prompts.build import build_prompt, language_of
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.embedders import Vectors
from recsys.retrieval.hyde import centred_vectors, hyde_vector
from recsys.retrieval.ranker import Wanted, words_of
from recsys.retrieval.search_scores import best_items, search_scores

MAX_INPUT_CHARS = 20_000
"""Characters of history and query together."""

MAX_ITEMS = 100
"""Items in one list of recommendations."""

_TEMPERATURE, _TOP_P = 0.5, 0.9
"""Steadier than the sampling of candidates, which have to differ from each other."""


@dataclass(frozen=True, slots=True)
class RecommendedItem:
    """One real item: `chunk` is its passage nearest to what was asked and answered, `score` the cosine
    similarity of the two, centred. The order of items may follow more than the score."""

    item: Item
    score: float
    chunk: str


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds that each stage took."""

    generate: float = 0.0
    embed: float = 0.0
    search: float = 0.0

    @property
    def total(self) -> float:
        """The sum of the stages."""
        return self.generate + self.embed + self.search


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What is known so far: the answer grows, then the items come, with `done`.

    `left_out` counts the oldest history items that did not fit the model's context; `cut` is set when
    the answer ended at its token limit.
    """

    answer: str = ""
    items: tuple[RecommendedItem, ...] = ()
    timings: Timings = field(default_factory=Timings)
    left_out: int = 0
    cut: bool = False
    done: bool = False


class Recommender:
    """Joins models and catalogues. Safe to use from several threads."""

    def __init__(self, pool: ModelPool, catalogs: Catalogs) -> None:
        self.pool = pool
        self.catalogs = catalogs

    def recommend(
        self,
        catalog: str,
        *,
        history: Sequence[str] = (),
        query: str = "",
        model: str = "",
        k: int = 10,
        language: str = "auto",
        seed: int = 0,
    ) -> Iterator[Recommendation]:
        """Recommend `k` items of `catalog` to somebody with this history (titles) or query, or both.

        The model writes a hypothetical answer. Where most of the history is of `catalog` itself, the items
        are ranked by what `CatalogRanker` knows of the history and the query, without the answer; otherwise
        by nearness to the answer and what was asked (`hyde_vector`) and by the words of what was asked
        (`search_scores`). So the items are real whatever the answer names. Items of the history are left out.
        `model` is "name" or "name+adapter", by default the app's; `language` is that of the answer
        ("auto": that of the query or the titles).

        Raises EmptyRequestError, TextTooLongError, UnknownCatalogError, UnknownModelError,
        UnknownAdapterError, NotReadyError and others of the tree before the first yield.
        """
        titles = [title.strip() for title in history if title.strip()]
        query = query.strip()
        target = self._checked(catalog, titles, query, k)
        found = self.catalogs.find(titles, prefer=catalog)
        person = History(items=tuple(item for _, item in found), query=query)
        backend, adapter = self.pool.resolve(model)
        languages = backend.languages
        wanted = language_of(" ".join([query or " ".join(titles)])) if language == "auto" else language
        prompt = build_prompt(person, target=target, language=wanted if wanted in languages else languages[0])
        sampling = Sampling(
            seed=seed, temperature=_TEMPERATURE, top_p=_TOP_P, max_tokens=self.pool.settings.max_answer_tokens
        )
        request = backend.fit(Request(prompt, sampling, adapter=adapter))

        started = time.perf_counter()
        answer, cut, left_out = "", False, request.prompt.left_out
        for delta in backend.stream(request):
            answer += delta.text
            cut = delta.finish == "length"
            yield Recommendation(answer, left_out=left_out)
        answer = answer.strip()
        generated = time.perf_counter()
        vector = hyde_vector(
            self.catalogs.index,
            self.catalogs.embedder,
            target=catalog,
            history=found,
            query=query,
            answer=answer,
        )
        embedded = time.perf_counter()
        exclude = frozenset(item.id for name, item in found if name == catalog)
        items = self._ranked(catalog, found, query, vector, k, exclude)
        searched = time.perf_counter()
        timings = Timings(
            generate=1000 * (generated - started),
            embed=1000 * (embedded - generated),
            search=1000 * (searched - embedded),
        )
        yield Recommendation(answer, items, timings, left_out, cut, done=True)

    def retrieve(self, catalog: str, text: str, k: int = 10) -> Recommendation:
        """The `k` items of `catalog` nearest to `text`, without a model."""
        self._checked(catalog, [], text.strip(), k)
        started = time.perf_counter()
        vector = hyde_vector(self.catalogs.index, self.catalogs.embedder, target=catalog, query=text.strip())
        embedded = time.perf_counter()
        items = self._search(catalog, vector, k, frozenset())
        searched = time.perf_counter()
        timings = Timings(embed=1000 * (embedded - started), search=1000 * (searched - embedded))
        return Recommendation("", items, timings, done=True)

    def _checked(self, catalog: str, titles: Sequence[str], query: str, k: int) -> str:
        """The catalogue's domain, once everything about the request is in order."""
        if not titles and not query:
            raise EmptyRequestError()
        if (length := len(query) + sum(map(len, titles))) > MAX_INPUT_CHARS:
            raise TextTooLongError(what="history or query", length=length, limit=MAX_INPUT_CHARS)
        if not 1 <= k <= MAX_ITEMS:
            raise InputError(reason=f"k is {k}; between 1 and {MAX_ITEMS} items can be asked for.")
        row = self.catalogs.store.catalog(catalog)
        if not row.indexed_by:
            raise NotReadyError(what=f"The catalogue {catalog}, which is being indexed,")
        return row.domain

    def _ranked(
        self,
        catalog: str,
        history: Sequence[tuple[str, Item]],
        query: str,
        vector: Vectors,
        k: int,
        exclude: frozenset[str],
    ) -> tuple[RecommendedItem, ...]:
        """The items in the order of the ranker, with their passages nearest to `vector`.

        A catalogue that is too large for the ranker is searched with `vector` alone.
        """
        index, embedder = self.catalogs.index, self.catalogs.embedder
        ranker = self.catalogs.ranker(catalog)
        if ranker is None:
            return self._search(catalog, vector, k, exclude)
        if 2 * sum(name == catalog for name, _ in history) <= len(history):
            texts = [words_of(item) for _, item in history] + [query] * bool(query)
            items = best_items(ranker, search_scores(ranker, vector, texts), k, exclude)
            return self._with_passages(catalog, vector, items)
        centre = ranker.matrix.centre
        wanted = Wanted(
            history=tuple(item for _, item in history),
            history_vectors=centred_vectors(index, embedder, history, centre),
            query=query,
            query_vector=embedder.embed_queries([query])[0] - centre if query else None,
        )
        return self._with_passages(catalog, vector, ranker.best(wanted, k, exclude))

    def _with_passages(
        self, catalog: str, vector: Vectors, items: Sequence[Item]
    ) -> tuple[RecommendedItem, ...]:
        hits = self.catalogs.index.passages(catalog, vector, [item.id for item in items])
        there = [(item, hits[item.id]) for item in items if item.id in hits]  # not removed just now
        return tuple(RecommendedItem(item, hit.score, hit.chunk) for item, hit in there)

    def _search(
        self, catalog: str, vector: Vectors, k: int, exclude: frozenset[str]
    ) -> tuple[RecommendedItem, ...]:
        found = self.catalogs.search(catalog, vector, k, exclude)
        return tuple(RecommendedItem(item, hit.score, hit.chunk) for item, hit in found)
