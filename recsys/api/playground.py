"""Endpoints of the playground: models, catalogues, recommendation, retrieval."""

from __future__ import annotations

from typing import Any

import gradio as gr
from typing_extensions import TypedDict

from recsys.recommend import Recommendation, RecommendedItem, Recommender
from recsys.retrieval.settings import retrieval_settings
from recsys.ui.page import Texts


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


class RecommendPayload(TypedDict):
    """Answer of `/recommend`; `left_out` counts history items that did not fit the model's context."""

    answer: str
    items: list[ItemPayload]
    timings_ms: TimingsPayload
    left_out: int


class RetrievePayload(TypedDict):
    """Answer of `/retrieve`."""

    items: list[ItemPayload]
    timings_ms: TimingsPayload


def register(recommender: Recommender, page: Texts) -> None:
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

        settings are those of retrieval that differ from their defaults, such as {"answers": 4}.
        """
        *_, result = recommender.recommend(
            catalog, history=history, query=query, model=model, k=k, settings=retrieval_settings(settings)
        )
        return {
            "answer": result.answer,
            "items": [_item(i) for i in result.items],
            "timings_ms": _timings(result),
            "left_out": result.left_out,
        }

    @page.shown
    def retrieve(catalog: str, text: str, k: int, request: gr.Request) -> RetrievePayload:
        """The k items of a catalogue whose passages are nearest to a text, without a model."""
        result = recommender.retrieve(catalog, text, k)
        return {"items": [_item(i) for i in result.items], "timings_ms": _timings(result)}

    gr.api(models, api_name="models")
    gr.api(catalogs, api_name="catalogs")
    gr.api(recommend, api_name="recommend", concurrency_limit=4)
    gr.api(retrieve, api_name="retrieve", concurrency_limit=4)


def _item(found: RecommendedItem) -> ItemPayload:
    return {
        "id": found.item.id,
        "title": found.item.title,
        "domain": found.item.domain,
        "score": round(found.score, 4),
        "chunk": found.chunk,
    }


def _timings(result: Recommendation) -> TimingsPayload:
    t = result.timings
    return {
        "generate": round(t.generate, 1),
        "embed": round(t.embed, 1),
        "search": round(t.search, 1),
        "rerank": round(t.rerank, 1),
        "total": round(t.total, 1),
    }
