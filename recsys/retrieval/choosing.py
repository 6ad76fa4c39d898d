"""The items that are shown: a ranking of the catalogue, put into another order by a model, made diverse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.catalog import Item
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.collection import Hit
from recsys.retrieval.diversity import DiversitySettings, diverse, title_key
from recsys.retrieval.embedders import Vectors
from recsys.retrieval.hyde import centred_vectors
from recsys.retrieval.item_matrix import unit
from recsys.retrieval.keywords import Scores
from recsys.retrieval.likelihood import candidates
from recsys.retrieval.ranker import CatalogRanker, Wanted, words_of
from recsys.retrieval.search_scores import search_scores
from recsys.retrieval.settings import RetrievalSettings

Rerank = Callable[[Sequence[Item], Scores], Scores]
"""From items, best first, and their scores to new scores, in the same places."""


@dataclass(frozen=True)
class Sought:
    """What is looked for in `catalog`: `history` holds (catalogue, item), `vector` is what to search with,
    `answers` are the parts of the model's answers that count."""

    catalog: str
    vector: Vectors
    history: tuple[tuple[str, Item], ...] = ()
    query: str = ""
    answers: tuple[str, ...] = ()

    @property
    def exclude(self) -> frozenset[str]:
        """The ids of the history's items that are of the catalogue itself."""
        return frozenset(item.id for name, item in self.history if name == self.catalog)

    @property
    def at_home(self) -> bool:
        """Whether most of the history is of the catalogue itself."""
        return 2 * sum(name == self.catalog for name, _ in self.history) > len(self.history)


@dataclass(frozen=True)
class _Ranking:
    """The first items of an order, with their scores and a way to their centred vectors (items, dimension).

    `hits` are their passages, where they were found by them.
    """

    items: tuple[Item, ...]
    scores: Scores
    vectors: Callable[[], Vectors]
    hits: Mapping[str, Hit]


def choose(
    catalogs: Catalogs, sought: Sought, k: int, settings: RetrievalSettings, rerank: Rerank | None = None
) -> list[tuple[Item, Hit]]:
    """The `k` items to show, best first, each with its passage nearest to what is sought."""
    depth = max(2 * k, settings.rerank_depth, settings.diversity.depth if settings.diversity.mmr else 0)
    ranker = catalogs.ranker(sought.catalog)
    if ranker is None:
        ranking = _by_index(catalogs, sought, depth)
    elif by_signals(sought, settings):
        ranking = _by_signals(catalogs, ranker, sought, depth, settings)
    else:
        ranking = _by_vector(ranker, sought, depth, settings)
    if rerank is not None and (first := settings.rerank_depth) and ranking.items:
        ranking = _reranked(ranking, rerank, first)
    items = _diverse(ranking, settings.diversity)[:k]
    ids = [item.id for item in items]
    hits = ranking.hits or catalogs.index.passages(sought.catalog, sought.vector, ids)
    return [(item, hits[item.id]) for item in items if item.id in hits]  # not removed just now


def by_signals(sought: Sought, settings: RetrievalSettings) -> bool:
    """Whether a catalogue in memory is ranked by what `CatalogRanker` knows of a history, not by a vector."""
    return settings.order == "signals" or (settings.order == "auto" and sought.at_home)


def _by_index(catalogs: Catalogs, sought: Sought, depth: int) -> _Ranking:
    found = catalogs.search(sought.catalog, sought.vector, depth, sought.exclude)
    items = tuple(item for item, _ in found)

    def vectors() -> Vectors:
        known = catalogs.index.item_vectors(sought.catalog, [item.id for item in items])
        centre = catalogs.index.centroid(sought.catalog)
        return np.stack([known.get(item.id, centre) - centre for item in items])

    scores = np.array([hit.score for _, hit in found], np.float32)
    return _Ranking(items, scores, vectors, {item.id: hit for item, hit in found})


def _by_signals(
    catalogs: Catalogs, ranker: CatalogRanker, sought: Sought, depth: int, settings: RetrievalSettings
) -> _Ranking:
    index, embedder, centre = catalogs.index, catalogs.embedder, ranker.matrix.centre
    query = embedder.embed_queries([sought.query])[0] - centre if sought.query else None
    answers: tuple[Vectors, ...] = ()
    if sought.answers and settings.signals.answer:
        answers = tuple(unit(embedder.embed_passages(list(sought.answers)) - centre))
    wanted = Wanted(
        history=tuple(item for _, item in sought.history),
        history_vectors=centred_vectors(index, embedder, sought.history, centre) if sought.history else None,
        query=sought.query,
        query_vector=query,
        answer_vectors=answers,
    )
    return _first(ranker, ranker.scores(wanted, settings.signals), sought, depth)


def _by_vector(ranker: CatalogRanker, sought: Sought, depth: int, settings: RetrievalSettings) -> _Ranking:
    """By the search vector against all passages; unless `order` is "search", by the words as well."""
    if settings.order == "search":
        scores = ranker.matrix.centred_cosines(sought.vector[None])[0]
    else:
        texts = [words_of(item) for _, item in sought.history] + [sought.query] * bool(sought.query)
        scores = search_scores(ranker, sought.vector, texts, settings.signals.keywords)
    return _first(ranker, scores, sought, depth)


def _first(ranker: CatalogRanker, scores: Scores, sought: Sought, depth: int) -> _Ranking:
    left_out = [ranker.places[item_id] for item_id in sought.exclude if item_id in ranker.places]
    chosen = candidates(scores, depth, left_out)
    items = tuple(ranker.items[number] for number in chosen.tolist())
    centre = ranker.matrix.centre
    return _Ranking(items, scores[chosen], lambda: ranker.matrix.vectors_of(chosen) - centre, {})


def _reranked(ranking: _Ranking, rerank: Rerank, first: int) -> _Ranking:
    """The ranking with its first items in another order, still above all others."""
    scores = ranking.scores.copy()
    new = rerank(ranking.items[:first], scores[:first])
    scores[:first] = new - np.min(new) + (scores[first] if len(scores) > first else 0.0) + 1.0
    order = np.argsort(-scores, kind="stable")
    items = tuple(ranking.items[number] for number in order.tolist())
    return _Ranking(items, scores[order], lambda: ranking.vectors()[order], ranking.hits)


def _diverse(ranking: _Ranking, settings: DiversitySettings) -> list[Item]:
    titles = {title_key(item) for item in ranking.items}
    if not settings.mmr and len(titles) == len(ranking.items):  # nothing can be a duplicate
        return list(ranking.items)
    places = np.arange(len(ranking.items), dtype=np.int64)
    kept = diverse(ranking.items, places, ranking.scores, ranking.vectors(), settings)
    return [ranking.items[number] for number in kept.tolist()]
