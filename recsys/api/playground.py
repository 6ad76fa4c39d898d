"""Endpoints of the playground: recommendation, retrieval, suggestions, the map, ratings."""

from __future__ import annotations

from typing import Any

import gradio as gr
from typing_extensions import TypedDict

from recsys.access import Access, Role
from recsys.catalog import ItemRef
from recsys.feedback.pairs import preference_rows
from recsys.feedback.store import FeedbackStore
from recsys.recommend import Recommender
from recsys.recommendation import Recommendation, RecommendedItem
from recsys.retrieval.projection import catalog_map
from recsys.retrieval.settings import retrieval_settings
from recsys.ui.page import Texts

_MAX_SUGGESTIONS = 50


class ItemPayload(TypedDict):
    """One recommended item; `score` is a cosine similarity."""

    id: str
    title: str
    domain: str
    score: float
    chunk: str


class TimingsPayload(TypedDict):
    """Milliseconds."""

    generate: float
    embed: float
    search: float
    rerank: float
    total: float


class ReasonPayload(TypedDict):
    """`score`: centred cosine similarity of the item and a history item (`title`), query or answer."""

    kind: str
    title: str
    score: float


class MarkPayload(TypedDict):
    """The characters from `start` to `end` of a chunk are a word of `source`: query, answer or history."""

    start: int
    end: int
    source: str


class WhyPayload(TypedDict):
    """Why the item `id` was found."""

    id: str
    near: list[ReasonPayload]
    marks: list[MarkPayload]


class MentionPayload(TypedDict):
    """A name from `start` to `end` of the answer; `catalog` and `id` are empty where no item has it."""

    name: str
    start: int
    end: int
    catalog: str
    id: str
    title: str
    in_history: bool


class RecommendPayload(TypedDict):
    """Answer of `/recommend`; `left_out` counts history items that did not fit the model's context.

    `recommendation` names it for `/rate`; `prompt` is the text that the model read; `ranked_by` is "search"
    or "history"; `close` is false where nothing is really near.
    """

    answer: str
    items: list[ItemPayload]
    timings_ms: TimingsPayload
    left_out: int
    recommendation: str
    model: str
    language: str
    prompt: str
    ranked_by: str
    close: bool
    mentions: list[MentionPayload]
    why: list[WhyPayload]


class RetrievePayload(TypedDict):
    """Answer of `/retrieve`."""

    items: list[ItemPayload]
    timings_ms: TimingsPayload


class ChunksPayload(TypedDict):
    """Answer of `/search_chunks`: passages, of which several may be of one item."""

    chunks: list[ItemPayload]
    timings_ms: TimingsPayload


class SuggestionPayload(TypedDict):
    """One item that a typed text may mean."""

    catalog: str
    id: str
    title: str
    titles: dict[str, str]
    domain: str


class PointPayload(TypedDict):
    """One point: `kind` is item, result, history, query or answer; `rank` a result's place, else 0."""

    kind: str
    x: float
    y: float
    catalog: str
    id: str
    title: str
    rank: int


class MapPayload(TypedDict):
    """`explained` is the share of the variance that the two directions hold."""

    points: list[PointPayload]
    explained: float
    items: int


def register(recommender: Recommender, feedback: FeedbackStore, access: Access, page: Texts) -> None:
    """Add this package's endpoints to the Blocks that are being built."""

    def models() -> list[dict[str, Any]]:
        """The models that can answer: base models, and base models with an adapter."""
        return [
            {
                "name": m.name,
                "backend": m.backend,
                "languages": list(m.languages),
                "adapter": m.adapter,
                "ready": m.ready,
            }
            for m in recommender.pool.list()
        ]

    def catalogs() -> list[dict[str, Any]]:
        """The catalogues that can be recommended from, with the size of their indexes."""
        return [
            {
                "name": c.name,
                "domain": c.domain,
                "language": c.language,
                "items": c.items,
                "chunks": c.chunks,
                "embedder": c.indexed_by.split(" ")[0],
            }
            for c in recommender.catalogs.list()
        ]

    @page.shown
    def recommend(
        catalog: str,
        history: list[str],
        query: str,
        model: str,
        k: int,
        request: gr.Request,
        settings: dict[str, Any] | None = None,
    ) -> RecommendPayload:
        """Recommend k real items of a catalogue to a person with this history (titles) or query.

        The model "none" writes nothing: retrieval alone. settings are those of retrieval that differ from
        their defaults, such as {"answers": 4}.
        """
        *_, result = recommender.recommend(
            catalog, history=history, query=query, model=model, k=k, settings=retrieval_settings(settings)
        )
        feedback.remember(result)
        assert result.asked is not None  # a finished recommendation says what was asked
        return {
            "answer": result.answer,
            "items": [_item(i) for i in result.items],
            "timings_ms": _timings(result),
            "left_out": result.left_out,
            "recommendation": result.id,
            "model": result.asked.model,
            "language": result.asked.language,
            "prompt": result.asked.prompt,
            "ranked_by": result.ranked_by,
            "close": result.close,
            "mentions": _mentions(result),
            "why": [_why(found) for found in result.items],
        }

    @page.shown
    def retrieve(catalog: str, text: str, k: int, request: gr.Request) -> RetrievePayload:
        """The k items of a catalogue whose passages are nearest to a text, without a model."""
        result = recommender.retrieve(catalog, text, k)
        return {"items": [_item(i) for i in result.items], "timings_ms": _timings(result)}

    @page.shown
    def search_chunks(catalog: str, text: str, k: int, request: gr.Request) -> ChunksPayload:
        """The k passages of a catalogue nearest to a text; several may be of one item."""
        result = recommender.search_chunks(catalog, text, k)
        return {"chunks": [_item(i) for i in result.items], "timings_ms": _timings(result)}

    @page.shown
    def more_like(
        catalog: str, like_catalog: str, like_id: str, k: int, request: gr.Request
    ) -> RetrievePayload:
        """The k items of a catalogue nearest to one item, given by its own catalogue and id."""
        result = recommender.more_like(catalog, ItemRef(like_catalog, like_id), k)
        feedback.remember(result)
        return {"items": [_item(i) for i in result.items], "timings_ms": _timings(result)}

    @page.shown
    def suggest(text: str, limit: int, request: gr.Request) -> list[SuggestionPayload]:
        """Items of all indexed catalogues whose titles, in any language, have this text in them."""
        found = recommender.catalogs.store.suggest(text, min(max(limit, 1), _MAX_SUGGESTIONS))
        return [
            {
                "catalog": catalog,
                "id": item.id,
                "title": item.title,
                "titles": dict(item.titles),
                "domain": item.domain,
            }
            for catalog, item in found
        ]

    @page.shown
    def map_catalog(catalog: str, recommendation: str, request: gr.Request) -> MapPayload:
        """A catalogue's items in two dimensions, with those of a recommendation set off (its id, or "")."""
        found = feedback.recent(recommendation) if recommendation else None
        drawn = catalog_map(recommender.catalogs, catalog, found)
        points: list[PointPayload] = [
            {
                "kind": point.kind,
                "x": point.x,
                "y": point.y,
                "catalog": point.catalog,
                "id": point.item.id if point.item else "",
                "title": point.item.title if point.item else "",
                "rank": point.rank,
            }
            for point in drawn.points
        ]
        return {"points": points, "explained": round(drawn.explained, 4), "items": drawn.items}

    @page.shown
    def rate(recommendation: str, item: str, value: int, request: gr.Request) -> dict[str, int]:
        """Like (1) or dislike (-1) an item of a recommendation, or its answer (item ""); 0 takes it back."""
        person = access.person(request.username, "")
        number = feedback.rate(recommendation, item, value, person)  # type: ignore[arg-type]  # it looks
        return {"rating_id": number}

    @page.shown
    def rated_pairs(request: gr.Request) -> list[dict[str, Any]]:
        """What people liked over what they disliked, as TRL preference rows."""
        access.require(request.username, Role.RESEARCHER)
        return preference_rows(feedback.all())

    gr.api(models, api_name="models")
    gr.api(catalogs, api_name="catalogs")
    gr.api(recommend, api_name="recommend", concurrency_limit=4)
    gr.api(retrieve, api_name="retrieve", concurrency_limit=4)
    gr.api(search_chunks, api_name="search_chunks", concurrency_limit=4)
    gr.api(more_like, api_name="more_like", concurrency_limit=4)
    gr.api(suggest, api_name="suggest", concurrency_limit=8)
    gr.api(map_catalog, api_name="map_catalog", concurrency_limit=2)
    gr.api(rate, api_name="rate", concurrency_limit=8)
    gr.api(rated_pairs, api_name="rated_pairs", concurrency_limit=1)


def _item(found: RecommendedItem) -> ItemPayload:
    return {
        "id": found.item.id,
        "title": found.item.title,
        "domain": found.item.domain,
        "score": round(found.score, 4),
        "chunk": found.chunk,
    }


def _why(found: RecommendedItem) -> WhyPayload:
    return {
        "id": found.item.id,
        "near": [
            {
                "kind": reason.kind,
                "title": reason.item.title if reason.item else "",
                "score": round(reason.score, 4),
            }
            for reason in found.reasons
        ],
        "marks": [{"start": mark.start, "end": mark.end, "source": mark.source} for mark in found.marks],
    }


def _mentions(result: Recommendation) -> list[MentionPayload]:
    return [
        {
            "name": mention.name,
            "start": mention.start,
            "end": mention.end,
            "catalog": mention.catalog,
            "id": mention.item.id if mention.item else "",
            "title": mention.item.title if mention.item else "",
            "in_history": mention.known,
        }
        for mention in result.mentions
    ]


def _timings(result: Recommendation) -> TimingsPayload:
    t = result.timings
    return {
        "generate": round(t.generate, 1),
        "embed": round(t.embed, 1),
        "search": round(t.search, 1),
        "rerank": round(t.rerank, 1),
        "total": round(t.total, 1),
    }
