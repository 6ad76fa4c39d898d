"""What the playground's endpoints answer: the shapes of the contract, and how results become them."""

from __future__ import annotations

from typing_extensions import TypedDict

from recsys.recommendation import Recommendation, RecommendedItem


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


def item_payload(found: RecommendedItem) -> ItemPayload:
    """One recommended item, or passage."""
    return {
        "id": found.item.id,
        "title": found.item.title,
        "domain": found.item.domain,
        "score": round(found.score, 4),
        "chunk": found.chunk,
    }


def why_payload(found: RecommendedItem) -> WhyPayload:
    """Why an item was found."""
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


def mention_payloads(result: Recommendation) -> list[MentionPayload]:
    """What the answer names."""
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


def timings_payload(result: Recommendation) -> TimingsPayload:
    """How long the stages took."""
    t = result.timings
    return {
        "generate": round(t.generate, 1),
        "embed": round(t.embed, 1),
        "search": round(t.search, 1),
        "rerank": round(t.rerank, 1),
        "total": round(t.total, 1),
    }
