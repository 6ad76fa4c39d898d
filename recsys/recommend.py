"""History or query in; the answer as it is written, then real items, out."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.catalog import History, Item, ItemRef
from recsys.demos import LANGUAGES
from recsys.errors import EmptyRequestError, InputError, NotReadyError, TextTooLongError
from recsys.llm.base import Backend, Request, Sampling, ShowsPrompt
from recsys.llm.pool import ModelPool
from recsys.mentions import MentionFinder
from recsys.prompts.build import build_prompt, language_of
from recsys.recommendation import Asked, RankedBy, Recommendation, RecommendedItem, Timings
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.highlight import Source, about, mark_passages
from recsys.retrieval.hyde import Parts, centred_vectors, search_parts
from recsys.retrieval.index import Hit
from recsys.retrieval.ranker import Wanted
from recsys.retrieval.reasons import reasons

__all__ = ["MAX_INPUT_CHARS", "MAX_ITEMS", "NO_MODEL", "Recommendation", "RecommendedItem", "Recommender"]

MAX_INPUT_CHARS = 20_000
"""Characters of history and query together."""

MAX_ITEMS = 100
"""Items in one list of recommendations."""

NO_MODEL = "none"
"""In place of a model: nothing is written, the items are those nearest to history and query."""

_TEMPERATURE, _TOP_P = 0.5, 0.9
"""Steadier than the sampling of candidates, which have to differ from each other."""


@dataclass(frozen=True)
class _Person:
    """A checked request: who asks, for what."""

    catalog: str
    domain: str
    history: tuple[tuple[str, Item], ...]
    titles: tuple[str, ...]
    query: str
    k: int

    def language(self, wanted: str) -> str:
        """`wanted`, or where that is "auto" the language of the query or the titles."""
        return language_of(self.query or " ".join(self.titles)) if wanted == "auto" else wanted

    @property
    def exclude(self) -> frozenset[str]:
        return frozenset(item.id for name, item in self.history if name == self.catalog)


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
        cancel: threading.Event | None = None,
    ) -> Iterator[Recommendation]:
        """Recommend `k` items of `catalog` to somebody with this history (titles or items) or query, or both.

        The model writes a hypothetical answer. Where most of the history is of `catalog` itself, the items
        are ranked by what `CatalogRanker` knows of the history and the query, without the answer; otherwise
        the catalogue is searched with the answer and what was asked (`search_parts`). So the items are real
        whatever the answer names. Items of the history are left out.
        `model` is "name" or "name+adapter", by default the app's, or "none" for no answer at all;
        `language` is that of the answer ("auto": that of the query or the titles). Setting `cancel` ends
        the answer between two tokens; the items are then those for what was written.

        Raises EmptyRequestError, TextTooLongError, UnknownCatalogError, UnknownModelError,
        UnknownAdapterError, NotReadyError and others of the tree before the first yield.
        """
        person = self._person(catalog, history, query, k)
        started = time.perf_counter()
        said = Recommendation(asked=_asked(person, language))
        if model != NO_MODEL:
            for said in self._answered(person, model, language, seed, cancel or threading.Event()):
                yield said
            said = replace(said, answer=said.answer.strip())
        generated = time.perf_counter()
        parts = search_parts(
            self.catalogs.index,
            self.catalogs.embedder,
            target=catalog,
            history=person.history,
            query=person.query,
            answer=said.answer,
        )
        embedded = time.perf_counter()
        hits, ranked_by = self._ranked(person, parts)
        searched = time.perf_counter()
        timings = Timings(
            generate=1000 * (generated - started) if model != NO_MODEL else 0.0,
            embed=1000 * (embedded - generated),
            search=1000 * (searched - embedded),
        )
        yield replace(
            said,
            items=self._explained(catalog, hits, parts, person.history, person.query, said.answer),
            mentions=self._mentions.find(said.answer, catalog, person.history, person.query),
            ranked_by=ranked_by,
            timings=timings,
            id=_new_id(),
            done=True,
        )

    def retrieve(self, catalog: str, text: str, k: int = 10) -> Recommendation:
        """The `k` items of `catalog` nearest to `text`, without a model."""
        person = self._person(catalog, (), text, k)
        started = time.perf_counter()
        index, embedder = self.catalogs.index, self.catalogs.embedder
        parts = search_parts(index, embedder, target=catalog, query=person.query)
        embedded = time.perf_counter()
        hits = self._search(person, parts)
        searched = time.perf_counter()
        timings = Timings(embed=1000 * (embedded - started), search=1000 * (searched - embedded))
        items = self._explained(catalog, hits, parts, (), person.query, "")
        return Recommendation(
            "", items, timings, done=True, asked=_asked(person), ranked_by="search", id=_new_id()
        )

    def search_chunks(self, catalog: str, text: str, k: int = 10) -> Recommendation:
        """The `k` passages of `catalog` nearest to `text`, as items that may come several times."""
        person = self._person(catalog, (), text, k)
        started = time.perf_counter()
        index, embedder = self.catalogs.index, self.catalogs.embedder
        parts = search_parts(index, embedder, target=catalog, query=person.query)
        embedded = time.perf_counter()
        hits = index.chunks(catalog, parts.combined(index.centroid(catalog)), k)
        searched = time.perf_counter()
        known = self.catalogs.store.get(catalog, {hit.item_id for hit in hits})
        there = [(known[hit.item_id], hit) for hit in hits if hit.item_id in known]
        timings = Timings(embed=1000 * (embedded - started), search=1000 * (searched - embedded))
        items = self._explained(catalog, there, parts, (), person.query, "")
        return Recommendation("", items, timings, done=True, asked=_asked(person), ranked_by="search")

    def more_like(self, catalog: str, like: ItemRef, k: int = 10) -> Recommendation:
        """The `k` items of `catalog` nearest to one item, which may be of another catalogue. Without a model.

        Raises InputError where there is no such item.
        """
        known = self.catalogs.store.get(like.catalog, [like.id]) if like.catalog else {}
        if like.id not in known:
            raise InputError(reason=f"There is no item {like.id!r} in the catalogue {like.catalog!r}.")
        person = self._person(catalog, [like], "", k)
        started = time.perf_counter()
        parts = search_parts(
            self.catalogs.index, self.catalogs.embedder, target=catalog, history=person.history
        )
        embedded = time.perf_counter()
        hits = self._search(person, parts)
        searched = time.perf_counter()
        timings = Timings(embed=1000 * (embedded - started), search=1000 * (searched - embedded))
        items = self._explained(catalog, hits, parts, person.history, "", "")
        return Recommendation(
            "", items, timings, done=True, asked=_asked(person), ranked_by="search", id=_new_id()
        )

    def _person(self, catalog: str, history: Sequence[str | ItemRef], query: str, k: int) -> _Person:
        """The request, once everything about it is in order."""
        entries = [entry for entry in history if _title_of(entry)]
        titles = tuple(map(_title_of, entries))
        query = query.strip()
        if not entries and not query:
            raise EmptyRequestError()
        if (length := len(query) + sum(map(len, titles))) > MAX_INPUT_CHARS:
            raise TextTooLongError(what="history or query", length=length, limit=MAX_INPUT_CHARS)
        if not 1 <= k <= MAX_ITEMS:
            raise InputError(reason=f"k is {k}; between 1 and {MAX_ITEMS} items can be asked for.")
        row = self.catalogs.store.catalog(catalog)
        if not row.indexed_by:
            raise NotReadyError(what=f"The catalogue {catalog}, which is being indexed,")
        return _Person(catalog, row.domain, self._found(entries, catalog), titles, query, k)

    def _found(self, entries: Sequence[str | ItemRef], prefer: str) -> tuple[tuple[str, Item], ...]:
        """(catalogue, item) of each entry: items where they are, titles where `Catalogs.find` says."""
        known = {
            position: (entry.catalog, items[entry.id])
            for position, entry in enumerate(entries)
            if isinstance(entry, ItemRef)
            and entry.catalog
            and entry.id in (items := self.catalogs.store.get(entry.catalog, [entry.id]))
        }
        titles = [_title_of(entry) for position, entry in enumerate(entries) if position not in known]
        by_title = iter(self.catalogs.find(titles, prefer=prefer))
        return tuple(known.get(position) or next(by_title) for position in range(len(entries)))

    def _answered(
        self, person: _Person, model: str, language: str, seed: int, cancel: threading.Event
    ) -> Iterator[Recommendation]:
        """The answer as it grows."""
        backend, adapter = self.pool.resolve(model)
        items = tuple(item for _, item in person.history)
        wanted = person.language(language)
        spoken = wanted if wanted in backend.languages else backend.languages[0]
        prompt = build_prompt(History(items, query=person.query), target=person.domain, language=spoken)
        sampling = Sampling(
            seed=seed, temperature=_TEMPERATURE, top_p=_TOP_P, max_tokens=self.pool.settings.max_answer_tokens
        )
        request = backend.fit(Request(prompt, sampling, adapter=adapter, cancel=cancel))
        prompt = request.prompt
        asked = replace(
            _asked(person),
            model=model or self.pool.settings.model,
            language=prompt.language,
            system=prompt.system,
            instruction=prompt.instruction,
            prompt=_prompt_text(backend, request),
        )
        so_far = Recommendation(asked=asked, left_out=prompt.left_out)
        yield so_far
        for delta in backend.stream(request):
            answer = so_far.answer + delta.text
            so_far = replace(so_far, answer=answer, cut=delta.finish == "length")
            yield so_far
        if cancel.is_set():
            yield replace(so_far, stopped=True)

    def _ranked(self, person: _Person, parts: Parts) -> tuple[list[tuple[Item, Hit]], RankedBy]:
        """The items in the order of the ranker where it applies, otherwise of the search."""
        own = sum(name == person.catalog for name, _ in person.history)
        ranker = self.catalogs.ranker(person.catalog) if 2 * own > len(person.history) else None
        if ranker is None:
            return self._search(person, parts), "search"
        index, embedder = self.catalogs.index, self.catalogs.embedder
        centre = ranker.matrix.centre
        wanted = Wanted(
            history=tuple(item for _, item in person.history),
            history_vectors=centred_vectors(index, embedder, person.history, centre),
            query=person.query,
            query_vector=embedder.embed_queries([person.query])[0] - centre if person.query else None,
        )
        items = ranker.best(wanted, person.k, person.exclude)
        vector = parts.combined(index.centroid(person.catalog))
        hits = index.passages(person.catalog, vector, [item.id for item in items])
        # Not those that were removed just now.
        return [(item, hits[item.id]) for item in items if item.id in hits], "history"

    def _search(self, person: _Person, parts: Parts) -> list[tuple[Item, Hit]]:
        vector = parts.combined(self.catalogs.index.centroid(person.catalog))
        return list(self.catalogs.search(person.catalog, vector, person.k, person.exclude))

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


def _asked(person: _Person, language: str = "auto") -> Asked:
    """What was asked, of no model."""
    spoken = person.language(language)
    return Asked(
        person.catalog, person.domain, person.history, person.query, NO_MODEL,
        language=spoken if spoken in LANGUAGES else LANGUAGES[0],
    )  # fmt: skip


def _new_id() -> str:
    return secrets.token_urlsafe(12)


def _title_of(entry: str | ItemRef) -> str:
    return ((entry.title or entry.id) if isinstance(entry, ItemRef) else entry).strip()


def _prompt_text(backend: Backend, request: Request) -> str:
    return backend.prompt_text(request) if isinstance(backend, ShowsPrompt) else ""
