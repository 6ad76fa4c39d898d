"""History or query in; the answer as it is written, then real items, out."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.catalog import History, Item, ItemRef
from recsys.demos import LANGUAGES
from recsys.errors import InputError
from recsys.llm.base import Backend, Request, Sampling, ShowsPrompt
from recsys.llm.pool import ModelPool
from recsys.mentions import MentionFinder
from recsys.person import Person
from recsys.prompts.build import build_prompt
from recsys.recommendation import Asked, Recommendation, RecommendedItem, Timings
from recsys.retrieval.answer_text import answer_part
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.choosing import Rerank, Sought, by_signals, choose
from recsys.retrieval.collection import Hit
from recsys.retrieval.embedders import Vectors
from recsys.retrieval.highlight import Source, about, mark_passages
from recsys.retrieval.hyde import Parts, answer_vector, search_parts
from recsys.retrieval.keywords import Scores
from recsys.retrieval.reasons import reasons
from recsys.retrieval.rerank import reranker
from recsys.retrieval.settings import RetrievalSettings

__all__ = ["NO_MODEL", "Recommendation", "RecommendedItem", "Recommender"]

NO_MODEL = "none"
"""In place of a model: nothing is written, the items are those nearest to history and query."""

_BY_SEARCH = RetrievalSettings(order="search")

_TEMPERATURE, _TOP_P = 0.5, 0.9
"""Steadier than the sampling of candidates, which have to differ from each other."""


@dataclass(frozen=True)
class _Written:
    """What a model has written: all answers as they are, the first one in `said`; and its order of items."""

    said: Recommendation
    answers: tuple[str, ...] = ()
    rerank: _TimedRerank | None = None
    seconds: float = 0.0


class Recommender:
    """Joins models and catalogues. Safe to use from several threads."""

    def __init__(self, pool: ModelPool, catalogs: Catalogs) -> None:
        self.pool = pool
        self.catalogs = catalogs
        self._mentions = MentionFinder(catalogs)

    def recommend(
        self,
        catalog: str,
        *,
        history: Sequence[str | ItemRef] = (),
        query: str = "",
        model: str = "",
        k: int = 10,
        language: str = "auto",
        seed: int = 0,
        settings: RetrievalSettings = RetrievalSettings(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Recommendation]:
        """Recommend `k` items of `catalog` to somebody with this history (titles or items) or query, or both.

        The model is shown the items nearest to history and query and writes an answer that chooses among them
        (`settings.candidates`; without them, a hypothetical answer out of its memory). Where most of the
        history is of `catalog` itself, the items are ranked by what `CatalogRanker` knows of the history and
        the query, without the answer; otherwise by nearness to the answer and what was asked
        (`search_parts`) and by the words of what was asked (`search_scores`). So the items are real whatever
        the answer names. Items of the history are left out.
        `model` is "name" or "name+adapter", by default the app's, or "none" for no answer at all;
        `language` is that of the answer ("auto": that of the query or the titles). Setting `cancel` ends
        the answer between two tokens; the items are then those for what was written.

        `settings` change how items are found; a model is asked only where they need one.

        Raises EmptyRequestError, TextTooLongError, UnknownCatalogError, UnknownModelError,
        UnknownAdapterError, NotReadyError and others of the tree before the first yield.
        """
        person = Person.read(self.catalogs, catalog, history, query, k)
        written = _Written(Recommendation(asked=_asked(person, language)))
        started = time.perf_counter()
        parts, centre = self._parts(person), self.catalogs.index.centroid(catalog)
        embedding, searching = time.perf_counter() - started, 0.0
        if model != NO_MODEL and settings.needs_model:
            started = time.perf_counter()
            candidates = self._candidates(person, parts.combined(centre, settings.weights), settings)
            searching = time.perf_counter() - started
            cancelled = cancel or threading.Event()
            written = yield from self._answered(
                person, candidates, model, language, seed, cancelled, settings
            )
        answer = written.said.answer.strip()
        counted = tuple(part for text in written.answers if (part := answer_part(text, settings.part)))
        started = time.perf_counter()
        parts = replace(parts, answer=answer_vector(self.catalogs.embedder, counted, centre))
        vector = parts.combined(centre, settings.weights)
        embedded = time.perf_counter()
        sought = Sought(catalog, vector, person.history, person.query, counted)
        hits = choose(self.catalogs, sought, k, settings, written.rerank)
        signals = by_signals(sought, settings) and self.catalogs.ranker(catalog) is not None
        reranked = written.rerank.seconds if written.rerank else 0.0
        timings = Timings(
            generate=1000 * written.seconds,
            embed=1000 * (embedding + embedded - started),
            search=1000 * (searching + time.perf_counter() - embedded - reranked),
            rerank=1000 * reranked,
        )
        yield replace(
            written.said,
            answer=answer,
            items=self._explained(catalog, hits, parts, person.history, person.query, answer),
            mentions=self._mentions.find(answer, catalog, person.history, person.query),
            ranked_by="history" if signals else "search",
            timings=timings,
            id=_new_id(),
            done=True,
        )

    def retrieve(self, catalog: str, text: str, k: int = 10) -> Recommendation:
        """The `k` items of `catalog` nearest to `text`, without a model."""
        return self._nearest(Person.read(self.catalogs, catalog, (), text, k))

    def more_like(self, catalog: str, like: ItemRef, k: int = 10) -> Recommendation:
        """The `k` items of `catalog` nearest to one item, which may be of another catalogue. Without a model.

        Raises InputError where there is no such item.
        """
        known = self.catalogs.store.get(like.catalog, [like.id]) if like.catalog else {}
        if like.id not in known:
            raise InputError(reason=f"There is no item {like.id!r} in the catalogue {like.catalog!r}.")
        return self._nearest(Person.read(self.catalogs, catalog, [like], "", k))

    def search_chunks(self, catalog: str, text: str, k: int = 10) -> Recommendation:
        """The `k` passages of `catalog` nearest to `text`, as items that may come several times."""
        person, index = Person.read(self.catalogs, catalog, (), text, k), self.catalogs.index
        started = time.perf_counter()
        parts = self._parts(person)
        embedded = time.perf_counter()
        hits = index.chunks(catalog, parts.combined(index.centroid(catalog)), k)
        known = self.catalogs.store.get(catalog, {hit.item_id for hit in hits})
        there = [(known[hit.item_id], hit) for hit in hits if hit.item_id in known]
        return replace(self._found_items(person, parts, there, started, embedded), id="")

    def _nearest(self, person: Person) -> Recommendation:
        """The items nearest to what is known of a person, without a model."""
        started = time.perf_counter()
        parts = self._parts(person)
        vector = parts.combined(self.catalogs.index.centroid(person.catalog))
        embedded = time.perf_counter()
        hits = choose(self.catalogs, Sought(person.catalog, vector, person.history), person.k, _BY_SEARCH)
        return self._found_items(person, parts, hits, started, embedded)

    def _found_items(
        self,
        person: Person,
        parts: Parts,
        hits: Sequence[tuple[Item, Hit]],
        started: float,
        embedded: float,
    ) -> Recommendation:
        searched = time.perf_counter()
        return Recommendation(
            items=self._explained(person.catalog, hits, parts, person.history, person.query, ""),
            timings=Timings(embed=1000 * (embedded - started), search=1000 * (searched - embedded)),
            done=True,
            asked=_asked(person),
            ranked_by="search",
            id=_new_id(),
        )

    def _parts(self, person: Person) -> Parts:
        return search_parts(
            self.catalogs.index,
            self.catalogs.embedder,
            target=person.catalog,
            history=person.history,
            query=person.query,
        )

    def _candidates(self, person: Person, vector: Vectors, settings: RetrievalSettings) -> tuple[Item, ...]:
        """What the model is shown to choose from: what would be recommended without it."""
        if not (settings.answers and settings.candidates):
            return ()
        alone = settings.model_copy(update={"rerank": "none"})
        sought = Sought(person.catalog, vector, person.history, person.query)
        return tuple(item for item, _ in choose(self.catalogs, sought, settings.candidates, alone))

    def _answered(
        self,
        person: Person,
        candidates: tuple[Item, ...],
        model: str,
        language: str,
        seed: int,
        cancel: threading.Event,
        settings: RetrievalSettings,
    ) -> Generator[Recommendation, None, _Written]:
        """The first answer as it grows; all of them at the end."""
        model = model or self.pool.default
        backend, adapter = self.pool.resolve(model)
        history = History(tuple(item for _, item in person.history), query=person.query)
        wanted = person.language(language)
        spoken = wanted if wanted in backend.languages else backend.languages[0]
        prompt = build_prompt(history, target=person.domain, language=spoken, candidates=candidates)
        sampling = Sampling(
            seed=seed, temperature=_TEMPERATURE, top_p=_TOP_P, max_tokens=self.pool.settings.max_answer_tokens
        )
        count = max(settings.answers, 1)
        request = Request(prompt, sampling, n=count, adapter=adapter, cancel=cancel)
        rerank = _TimedRerank(reranker(backend, request, history, person.domain, settings))
        asked = replace(_asked(person), model=model, language=spoken)
        if not settings.answers:
            return _Written(Recommendation(asked=asked), rerank=rerank)
        request = backend.fit(request)
        prompt = request.prompt
        asked = replace(
            asked,
            language=prompt.language,
            system=prompt.system,
            instruction=prompt.instruction,
            prompt=_prompt_text(backend, request),
        )
        so_far = Recommendation(asked=asked, left_out=prompt.left_out)
        answers = [""] * count
        started = time.perf_counter()
        yield so_far
        for delta in backend.stream(request):
            answers[delta.index] += delta.text
            if delta.index == 0:  # the first one is shown
                so_far = replace(so_far, answer=answers[0], cut=delta.finish == "length")
                yield so_far
        if cancel.is_set():
            so_far = replace(so_far, stopped=True)
            yield so_far
        return _Written(so_far, tuple(answers), rerank, time.perf_counter() - started)

    def _explained(
        self,
        catalog: str,
        hits: Sequence[tuple[Item, Hit]],
        parts: Parts,
        history: Sequence[tuple[str, Item]],
        query: str,
        answer: str,
    ) -> tuple[RecommendedItem, ...]:
        """The found items with why they were found and which words of their passages tell."""
        if not hits:
            return ()
        items = [item for _, item in history]
        vectors = self.catalogs.index.item_vectors(catalog, [item.id for item, _ in hits])
        centre = self.catalogs.index.centroid(catalog)
        centred = np.stack([vectors.get(item.id, centre) - centre for item, _ in hits])
        why = reasons(centred, parts, items)
        texts: dict[Source, str] = {"query": query, "answer": answer, "history": about(items)}
        marks = mark_passages([hit.chunk for _, hit in hits], {s: t for s, t in texts.items() if t})
        return tuple(
            RecommendedItem(item, hit.score, hit.chunk, catalog, of_item, marked)
            for (item, hit), of_item, marked in zip(hits, why, marks, strict=True)
        )


def _asked(person: Person, language: str = "auto") -> Asked:
    """What was asked, of no model."""
    spoken = person.language(language)
    return Asked(
        person.catalog, person.domain, person.history, person.query, NO_MODEL,
        language=spoken if spoken in LANGUAGES else LANGUAGES[0],
    )  # fmt: skip


def _new_id() -> str:
    return secrets.token_urlsafe(12)


def _prompt_text(backend: Backend, request: Request) -> str:
    return backend.prompt_text(request) if isinstance(backend, ShowsPrompt) else ""


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
