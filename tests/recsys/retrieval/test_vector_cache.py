from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.retrieval.vector_cache import CachedEmbedder
from tests.recsys.conftest import CountingEmbedder, OtherEmbedder


def test_a_text_is_embedded_once(tmp_path: Path, embedder: CountingEmbedder) -> None:
    before, seen = embedder.passages, list[tuple[int, int]]()
    cached = CachedEmbedder(embedder, tmp_path / "vectors.db", lambda *step: seen.append(step))
    first = cached.embed_passages(["one", "two"])
    again = cached.embed_passages(["two", "three", "one"])
    assert embedder.passages - before == 3
    assert seen == [(2, 2), (1, 1)]
    assert np.array_equal(again[[2, 0]], first)
    cached.close()
    reopened = CachedEmbedder(embedder, tmp_path / "vectors.db")
    assert np.array_equal(reopened.embed_passages(["one"]), first[:1])
    assert embedder.passages - before == 3
    reopened.close()


def test_query_passage_and_other_embedders_are_kept_apart(
    tmp_path: Path, embedder: CountingEmbedder, other_embedder: OtherEmbedder
) -> None:
    cached = CachedEmbedder(embedder, tmp_path / "vectors.db")
    assert not np.allclose(cached.embed_passages(["one"]), cached.embed_queries(["one"]))
    seen: list[tuple[int, int]] = []
    other = CachedEmbedder(other_embedder, tmp_path / "vectors.db", lambda *step: seen.append(step))
    other.embed_passages(["one"])
    assert seen == [(1, 1)]
    cached.close()
    other.close()
