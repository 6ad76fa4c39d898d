"""Endpoints of the playground: recommendation, retrieval, suggestions, the map, ratings."""

from __future__ import annotations

from typing import Any

import gradio as gr

from recsys.access import Access, Role
from recsys.api.playground_payloads import (
    ChunksPayload,
    MapPayload,
    PointPayload,
    RecommendPayload,
    RetrievePayload,
    SuggestionPayload,
    item_payload,
    mention_payloads,
    timings_payload,
    why_payload,
)
from recsys.catalog import ItemRef
from recsys.feedback.pairs import preference_rows
from recsys.feedback.store import FeedbackStore
from recsys.recommend import Recommender
from recsys.retrieval.projection import catalog_map
from recsys.retrieval.settings import retrieval_settings
from recsys.ui.page import Texts

_MAX_SUGGESTIONS = 50


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
            "items": [item_payload(i) for i in result.items],
            "timings_ms": timings_payload(result),
            "left_out": result.left_out,
            "recommendation": result.id,
            "model": result.asked.model,
            "language": result.asked.language,
            "prompt": result.asked.prompt,
            "ranked_by": result.ranked_by,
            "close": result.close,
            "mentions": mention_payloads(result),
            "why": [why_payload(found) for found in result.items],
        }

    @page.shown
    def retrieve(catalog: str, text: str, k: int, request: gr.Request) -> RetrievePayload:
        """The k items of a catalogue whose passages are nearest to a text, without a model."""
        result = recommender.retrieve(catalog, text, k)
        return {"items": [item_payload(i) for i in result.items], "timings_ms": timings_payload(result)}

    @page.shown
    def search_chunks(catalog: str, text: str, k: int, request: gr.Request) -> ChunksPayload:
        """The k passages of a catalogue nearest to a text; several may be of one item."""
        result = recommender.search_chunks(catalog, text, k)
        return {"chunks": [item_payload(i) for i in result.items], "timings_ms": timings_payload(result)}

    @page.shown
    def more_like(
        catalog: str, like_catalog: str, like_id: str, k: int, request: gr.Request
    ) -> RetrievePayload:
        """The k items of a catalogue nearest to one item, given by its own catalogue and id."""
        result = recommender.more_like(catalog, ItemRef(like_catalog, like_id), k)
        feedback.remember(result)
        return {"items": [item_payload(i) for i in result.items], "timings_ms": timings_payload(result)}

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
