"""Chunk vectors in Chroma: one collection a catalogue, which records the embedder that made it."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from chromadb.api.collection_configuration import CreateHNSWConfiguration
from chromadb.api.models.Collection import Collection
from chromadb.errors import NotFoundError
from pydantic import BaseModel, ConfigDict, Field

from recsys.errors import IndexMismatchError
from recsys.retrieval.chroma import open_client, told
from recsys.retrieval.chunks import Chunk
from recsys.retrieval.collection import (
    Hit,
    centred_scores,
    chunk_id,
    chunks_of,
    nearest_chunks,
    spread_vectors,
)
from recsys.retrieval.embedders import Embedder, Vectors
from recsys.retrieval.item_matrix import ItemMatrix

_EMBED_BATCH = 32
_CENTROID_CHUNKS = 2000
_CHUNKS_IN_MEMORY = 200_000
_PAGE = 5000
_COUNT_AGAIN_S = 2.0
_CANDIDATES = 100
"""Chunks looked at for one search. The index is in the order of plain cosines, the answer in that of centred
ones. Of 22,319 real chunks the ten nearest were, for each of 100 queries, among the first 24 in the order of
`plain_vector`, and among the first 73 in that of the centred vector itself."""


class HnswSettings(BaseModel):
    """How a collection's graph is built and searched (Malkov and Yashunin, arXiv 1603.09320).

    `python -m bench retrieval` measures what they give; docs/retrieval.md.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ef_construction: int = Field(default=400, ge=1)
    max_neighbors: int = Field(default=40, ge=2)
    ef_search: int = Field(default=2400, ge=1)
    sync_threshold: int = Field(default=5000, ge=2)


@dataclass
class _Centroid:
    """The mean vector of a collection that had `count` chunks when it was made."""

    vector: Vectors
    collection: UUID
    count: int
    looked: float

    def lasts(self, collection: Collection) -> bool:
        """Whether it is near enough still: counted now and then, since counting 200,000 takes 20 ms."""
        if (now := time.monotonic()) - self.looked < _COUNT_AGAIN_S:
            return True
        self.looked = now
        return abs(collection.count() - self.count) <= self.count // 10


class VectorIndex:
    """The collections of one Chroma database.

    Without `url` it lies in `folder`, which only one process may open at a time. Of a server's collections
    those are used whose names belong to `owner`, so that several homes can be on one server.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        *,
        url: str = "",
        owner: str = "",
        hnsw: HnswSettings = HnswSettings(),
    ) -> None:
        self.url = url
        self._owner = owner if url else ""
        self._embedder = embedder
        self._hnsw = hnsw
        self._centroids: dict[str, _Centroid] = {}
        self._client = open_client(folder, url)

    @told
    def collection(self, catalog: str) -> Collection | None:
        """The collection of a catalogue, or None; raises IndexMismatchError for another embedder's."""
        try:
            found = self._client.get_collection(self._name(catalog), embedding_function=None)
        except NotFoundError:
            return None
        metadata: dict[str, Any] = dict(found.metadata or {})
        made_by = f"{metadata.get('embedder')} ({metadata.get('dimension')} dimensions)"
        wanted = f"{self._embedder.name} ({self._embedder.dimension} dimensions)"
        if made_by != wanted:
            raise IndexMismatchError(name=catalog, found=made_by, wanted=wanted)
        return found

    @told
    def create(self, catalog: str) -> Collection:
        """An empty collection for a catalogue, in place of any that there is."""
        self.delete(catalog)
        hnsw = CreateHNSWConfiguration(space="cosine", **self._hnsw.model_dump())  # type: ignore[typeddict-item]
        return self._client.create_collection(
            self._name(catalog),
            embedding_function=None,
            metadata={
                "catalog": catalog,
                "embedder": self._embedder.name,
                "dimension": self._embedder.dimension,
            },
            configuration={"hnsw": hnsw},
        )

    @told
    def delete(self, catalog: str) -> None:
        """Remove a catalogue's collection, if there is one."""
        self._centroids.pop(catalog, None)
        try:
            self._client.delete_collection(self._name(catalog))
        except NotFoundError:
            return

    @told
    def add(self, collection: Collection, chunks: Sequence[Chunk]) -> None:
        """Embed chunks and store them."""
        for start in range(0, len(chunks), _EMBED_BATCH):
            part = chunks[start : start + _EMBED_BATCH]
            vectors = self._embedder.embed_passages([c.embedded for c in part])
            collection.upsert(
                ids=[chunk_id(c.item_id, c.number) for c in part],
                embeddings=vectors,
                documents=[c.text for c in part],
                metadatas=[{"item": c.item_id} for c in part],
            )
        self._changed(collection)

    @told
    def remove(self, collection: Collection, ids: Sequence[str]) -> None:
        """Remove all chunks of the items `ids`."""
        collection.delete(where={"item": {"$in": list(ids)}})  # type: ignore[dict-item]  # as in item_vectors
        self._changed(collection)

    @told
    def centroid(self, catalog: str) -> Vectors:
        """The mean of a catalogue's chunk vectors, of at most 2,000 from all over it; shape (dimension,).

        Zeros where the catalogue is not indexed. That of a large one is kept until a tenth has been added,
        so that queries are quick while it is being indexed.
        """
        collection = self.collection(catalog)
        if collection is None:
            return np.zeros(self._embedder.dimension, dtype=np.float32)
        known = self._centroids.get(catalog)
        if known is not None and known.collection == collection.id and known.lasts(collection):
            return known.vector
        count = collection.count()
        sample = spread_vectors(collection, count, _CENTROID_CHUNKS)
        if not len(sample):
            return np.zeros(self._embedder.dimension, dtype=np.float32)
        vector: Vectors = np.mean(sample, axis=0)
        self._centroids[catalog] = _Centroid(vector, collection.id, count, time.monotonic())
        return vector

    @told
    def item_vectors(self, catalog: str, ids: Sequence[str]) -> dict[str, Vectors]:
        """For each of `ids` that the catalogue has, the mean of its chunks' vectors."""
        collection = self.collection(catalog)
        if collection is None or not ids:
            return {}
        rows: dict[str, list[Vectors]] = defaultdict(list)
        for item_id, _, vector in chunks_of(collection, ids):
            rows[item_id].append(vector)
        return {item_id: np.mean(chunks, axis=0) for item_id, chunks in rows.items()}

    @told
    def matrix(self, catalog: str, ids: Sequence[str]) -> ItemMatrix | None:
        """All chunk vectors of a catalogue, by item in the order of `ids`. Their mean becomes its centroid.

        None where there is no index, where an item has no chunk yet, or where there are more than 200,000
        chunks (0.3 GB at 384 dimensions).
        """
        collection = self.collection(catalog)
        if collection is None or not 0 < (total := collection.count()) <= _CHUNKS_IN_MEMORY:
            return None
        position = {item_id: number for number, item_id in enumerate(ids)}
        owners, parts = list[int](), list[Vectors]()
        for offset in range(0, total, _PAGE):
            page = collection.get(limit=_PAGE, offset=offset, include=["embeddings", "metadatas"])
            owners += [position.get(str(m["item"]), -1) for m in page["metadatas"] or []]
            parts.append(np.asarray(page["embeddings"], dtype=np.float32))
        owner = np.array(owners)
        order = np.argsort(owner, kind="stable")
        order = order[owner[order] >= 0]
        present, starts = np.unique(owner[order], return_index=True)
        if len(present) < len(ids):
            return None
        matrix = ItemMatrix(np.concatenate(parts)[order], starts)
        self._centroids[catalog] = _Centroid(matrix.centre, collection.id, total, time.monotonic())
        return matrix

    @told
    def passages(self, catalog: str, vector: Vectors, ids: Sequence[str]) -> dict[str, Hit]:
        """For each of `ids` its chunk nearest to the centred `vector`."""
        collection = self.collection(catalog)
        if collection is None or not ids:
            return {}
        found = chunks_of(collection, ids)
        scores = centred_scores([vector for *_, vector in found], vector, self.centroid(catalog))
        hits = [Hit(item, text, float(score)) for (item, text, _), score in zip(found, scores, strict=True)]
        return {hit.item_id: hit for hit in sorted(hits, key=lambda hit: hit.score)}

    @told
    def chunks(self, catalog: str, vector: Vectors, k: int) -> list[Hit]:
        """The `k` chunks nearest to the centred `vector`, best first; an item may come several times."""
        collection = self.collection(catalog)
        return nearest_chunks(collection, vector, self.centroid(catalog), k) if collection else []

    @told
    def search(
        self, catalog: str, vector: Vectors, k: int, exclude: frozenset[str] = frozenset()
    ) -> list[Hit]:
        """The `k` items nearest to the centred `vector` (shape (dimension,), see `recsys.retrieval.hyde`).

        Each item counts by its best chunk, best first; items in `exclude` are left out. Fewer than `k`
        come back only where the catalogue has no more.
        """
        collection = self.collection(catalog)
        if collection is None:
            return []
        centre = self.centroid(catalog)
        wanted = max(_CANDIDATES, 4 * (k + len(exclude)))
        while True:
            found = nearest_chunks(collection, vector, centre, wanted)
            hits = _best_of_items(found, exclude)
            if len(hits) >= k or len(found) < wanted:
                return hits[:k]
            wanted *= 4

    def _changed(self, collection: Collection) -> None:
        catalog = str((collection.metadata or {})["catalog"])
        known = self._centroids.get(catalog)
        if known is not None and known.count < _CENTROID_CHUNKS:
            self._centroids.pop(catalog, None)

    def _name(self, catalog: str) -> str:
        """Chroma allows few characters in a name, so a catalogue's own name is hashed."""
        whole = f"{self._owner}/{catalog}" if self._owner else catalog
        return "catalog-" + hashlib.sha256(whole.encode()).hexdigest()[:32]


def _best_of_items(hits: Sequence[Hit], exclude: frozenset[str]) -> list[Hit]:
    best: dict[str, Hit] = {}
    for hit in hits:
        if hit.item_id not in exclude and hit.item_id not in best:
            best[hit.item_id] = hit
    return list(best.values())
