"""History or query in; the answer as it is written, then real items, out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from recsys.catalog import History, Item
from recsys.errors import EmptyRequestError, InputError, TextTooLongError
from recsys.llm.base import Request, Sampling
from recsys.llm.pool import ModelPool
from recsys.prompts.build import build_prompt, language_of
from recsys.retrieval.answer_text import answer_part
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.choosing import Rerank, Sought, choose
from recsys.retrieval.hyde import hyde_vector
from recsys.retrieval.keywords import Scores
from recsys.retrieval.rerank import reranker
from recsys.retrieval.settings import RetrievalSettings

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
    """Milliseconds that each stage took; `rerank` is what a model took to order the items found."""

    generate: float = 0.0
    embed: float = 0.0
    search: float = 0.0
    rerank: float = 0.0

    @property
    def total(self) -> float:
        """The sum of the stages."""
        return self.generate + self.embed + self.search + self.rerank


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
        settings: RetrievalSettings = RetrievalSettings(),
    ) -> Iterator[Recommendation]:
        """Recommend `k` items of `catalog` to somebody with this history (titles) or query, or both.

        The model writes a hypothetical answer. Where most of the history is of `catalog` itself, the items
        are ranked by what `CatalogRanker` knows of the history and the query, without the answer; otherwise
        the catalogue is searched with the answer and what was asked (`hyde_vector`). So the items are real
        whatever the answer names. Items of the history are left out. `settings` change all of this.
        `model` is "name" or "name+adapter", by default the app's; `language` is that of the answer
        ("auto": that of the query or the titles). Without a part for a model none is asked for.

        Raises EmptyRequestError, TextTooLongError, UnknownCatalogError, UnknownModelError,
        UnknownAdapterError, NotReadyError and others of the tree before the first yield.
        """
        titles = [title.strip() for title in history if title.strip()]
        query = query.strip()
        target = self._checked(catalog, titles, query, k)
        found = tuple(self.catalogs.find(titles, prefer=catalog))
        person = History(items=tuple(item for _, item in found), query=query)
        rerank: _TimedRerank | None = None
        answers: list[str] = []
        cut, left_out = False, 0
        started = time.perf_counter()
        if settings.needs_model:
            backend, adapter = self.pool.resolve(model)
            languages = backend.languages
            wanted = language_of(" ".join([query or " ".join(titles)])) if language == "auto" else language
            prompt = build_prompt(
                person, target=target, language=wanted if wanted in languages else languages[0]
            )
            sampling = Sampling(
                seed=seed,
                temperature=_TEMPERATURE,
                top_p=_TOP_P,
                max_tokens=self.pool.settings.max_answer_tokens,
            )
            request = Request(prompt, sampling, n=max(settings.answers, 1), adapter=adapter)
            rerank = _TimedRerank(reranker(backend, request, person, target, settings))
            if settings.answers:
                request = backend.fit(request)
                left_out = request.prompt.left_out
                answers = [""] * request.n
                started = time.perf_counter()
                for delta in backend.stream(request):
                    answers[delta.index] += delta.text
                    if delta.index == 0:  # the first one is shown
                        cut = delta.finish == "length"
                        yield Recommendation(answers[0], left_out=left_out)
        answer = answers[0].strip() if answers else ""
        parts = tuple(part for text in answers if (part := answer_part(text, settings.part)))
        generated = time.perf_counter() if answers else started
        vector = hyde_vector(
            self.catalogs.index,
            self.catalogs.embedder,
            target=catalog,
            history=found,
            query=query,
            answer=parts,
            weights=settings.weights,
        )
        embedded = time.perf_counter()
        sought = Sought(catalog, vector, found, query, parts)
        items = self._items(sought, k, settings, rerank)
        reranked = rerank.seconds if rerank else 0.0
        timings = Timings(
            generate=1000 * (generated - started),
            embed=1000 * (embedded - generated),
            search=1000 * (time.perf_counter() - embedded - reranked),
            rerank=1000 * reranked,
        )
        yield Recommendation(answer, items, timings, left_out, cut, done=True)

    def retrieve(self, catalog: str, text: str, k: int = 10) -> Recommendation:
        """The `k` items of `catalog` nearest to `text`, without a model."""
        self._checked(catalog, [], text.strip(), k)
        started = time.perf_counter()
        vector = hyde_vector(self.catalogs.index, self.catalogs.embedder, target=catalog, query=text.strip())
        embedded = time.perf_counter()
        items = self._items(Sought(catalog, vector), k, RetrievalSettings(order="search"))
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
        return self.catalogs.searchable(catalog).domain

    def _items(
        self, sought: Sought, k: int, settings: RetrievalSettings, rerank: Rerank | None = None
    ) -> tuple[RecommendedItem, ...]:
        found = choose(self.catalogs, sought, k, settings, rerank)
        return tuple(RecommendedItem(item, hit.score, hit.chunk) for item, hit in found)


class _TimedRerank:
    """A model's order of items, or the one that they have; `seconds` is what it took."""

    def __init__(self, rerank: Rerank | None) -> None:
        self._rerank = rerank
        self.seconds = 0.0

    def __call__(self, items: Sequence[Item], scores: Scores) -> Scores:
        started = time.perf_counter()
        result = self._rerank(items, scores) if self._rerank else scores
        self.seconds += time.perf_counter() - started
        return result
