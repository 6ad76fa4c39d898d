"""What is read of one Chroma collection of chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from chromadb.api.models.Collection import Collection

from recsys.retrieval.embedders import Vectors
from recsys.retrieval.item_matrix import unit

_ITEMS_AT_ONCE = 500
_USUAL_CHUNKS = 8
"""Few items have more chunks than this."""
_NEAR = 0.4
"""The centred cosine at which both orders should agree: about that of the tenth nearest of 20,000 chunks."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One item with its best chunk. `score` is the cosine similarity of the search vector and the
    chunk's vector, both centred: 0 is as near as anything in the catalogue, 1 is the same."""

    item_id: str
    chunk: str
    score: float


def spread_vectors(collection: Collection, count: int, most: int) -> Vectors:
    """The vectors of `most` of a collection's `count` chunks, in ten runs from its beginning to its end."""
    starts = [0] if count <= most else [count * tenth // 10 for tenth in range(10)]
    runs = (collection.get(limit=most // len(starts), offset=n, include=["embeddings"]) for n in starts)
    return np.asarray([vector for run in runs for vector in run["embeddings"]], dtype=np.float32)  # type: ignore[union-attr]  # asked for


def chunk_id(item_id: str, number: int) -> str:
    """The id of an item's chunk in its collection; chunks are numbered from 0."""
    return f"{item_id}#{number}"


def chunks_of(collection: Collection, ids: Sequence[str]) -> list[tuple[str, str, Vectors]]:
    """(item, text, vector) of all chunks of the items `ids`.

    They are looked up by their own ids, which takes a tenth of the time that looking
    for the items takes among 200,000 chunks. Only of items with many chunks the rest is looked for.
    """
    wanted, found = list(dict.fromkeys(ids)), dict[str, tuple[str, str, Vectors]]()
    for start in range(0, len(wanted), _ITEMS_AT_ONCE):
        part = wanted[start : start + _ITEMS_AT_ONCE]
        found |= _rows(collection, ids=[chunk_id(item, n) for item in part for n in range(_USUAL_CHUNKS)])
        if many := [item for item in part if chunk_id(item, _USUAL_CHUNKS - 1) in found]:
            found |= _rows(collection, where={"item": {"$in": many}})
    return list(found.values())


def _rows(collection: Collection, **which: Any) -> dict[str, tuple[str, str, Vectors]]:
    """(item, text, vector) by the chunk's id."""
    got = collection.get(**which, include=["metadatas", "documents", "embeddings"])
    vectors = np.asarray(got["embeddings"], dtype=np.float32)
    rows = zip(got["ids"], got["metadatas"] or [], got["documents"] or [], vectors, strict=True)
    return {chunk: (str(data["item"]), text, vector) for chunk, data, text, vector in rows}


def nearest_chunks(collection: Collection, vector: Vectors, centre: Vectors, count: int) -> list[Hit]:
    """The chunks nearest to `vector`, scored by the cosine of their own centred vectors, best first."""
    found = collection.query(
        query_embeddings=[plain_vector(vector, centre)],  # type: ignore[arg-type]  # Chroma takes numpy arrays
        n_results=count,
        include=["metadatas", "documents", "embeddings"],
    )
    metadatas, documents, embeddings = found["metadatas"], found["documents"], found["embeddings"]
    if metadatas is None or documents is None or embeddings is None:
        return []  # never: they are asked for in `include`
    scores = centred_scores(embeddings[0], vector, centre)
    hits = [
        Hit(str(metadata["item"]), document, float(score))
        for metadata, document, score in zip(metadatas[0], documents[0], scores, strict=True)
    ]
    return sorted(hits, key=lambda hit: hit.score, reverse=True)


def plain_vector(vector: Vectors, centre: Vectors) -> Vectors:
    """The vector whose plain cosines order what is near as the centred cosines with `vector` do.

    For passages x of length 1 the centred cosine f(x) = (x - c)·v / |x - c| grows with x·v and, through
    |x - c|² = 1 + |c|² - 2 x·c, with x·c. Its gradient where f is s and |x - c| is d, of the usual size
    sqrt(1 - |c|²), lies along v + (s / d) c. Besides, `vector` alone is nearly at a right angle to all
    passages, and graphs find little from so far away.
    """
    distance = np.sqrt(max(1.0 - float(centre @ centre), 1e-6))
    plain: Vectors = vector + np.float32(_NEAR / distance) * centre
    return plain


def centred_scores(embeddings: object, vector: Vectors, centre: Vectors) -> Vectors:
    """The cosine of the centred `vector` (dimension,) with each row of (rows, dimension), less `centre`."""
    centred = np.asarray(embeddings, dtype=np.float32).reshape(-1, len(centre)) - centre
    scores: Vectors = unit(centred) @ vector
    return scores
