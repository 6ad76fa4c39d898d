from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from recsys.retrieval.embedders import Embedder

TEXTS = ["느리고 쓸쓸한 영화", "a slow film", "", "🚀", "a\0b", "\ud800 half a pair"]


def test_vectors_have_length_one_and_the_stated_dimension(embedder: Embedder) -> None:
    for embed in (embedder.embed_queries, embedder.embed_passages):
        vectors = embed(TEXTS)
        assert vectors.shape == (len(TEXTS), embedder.dimension)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)


def test_nul_does_not_end_the_text(embedder: Embedder) -> None:
    whole, cut = embedder.embed_passages(["a film\0about bees", "a film"])
    assert whole @ cut < 0.99
    assert embedder.count_tokens("a film\0about bees") > embedder.count_tokens("a film")


def test_lone_surrogate_only_replaces_itself(embedder: Embedder) -> None:
    odd, plain = embedder.embed_passages(["a film about bees \udc80", "a film about bees ?"])
    assert odd @ plain > 0.999


def test_text_longer_than_the_model_reads_is_cut(embedder: Embedder) -> None:
    (vector,) = embedder.embed_passages(["word " * 1000])
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-3)


def test_queries_and_passages_differ(embedder: Embedder) -> None:
    assert embedder.embed_queries(["a film"])[0] @ embedder.embed_passages(["a film"])[0] < 0.999


@pytest.mark.parametrize(
    ("query", "right", "wrong"),
    [
        ("우주 영화", "지구를 떠나 별들 사이에서 새 집을 찾는 이야기", "시골에서 밥을 지어 먹는 이야기"),
        ("space film", "a journey between the stars", "cooking in a village through the seasons"),
        ("우주 영화", "a film about a journey in space", "a recipe for bread"),
    ],
)
def test_passage_about_the_query_is_nearer(embedder: Embedder, query: str, right: str, wrong: str) -> None:
    vector = embedder.embed_queries([query])[0]
    near, far = embedder.embed_passages([right, wrong]) @ vector
    assert near > far


def test_several_threads_get_their_own_vectors(embedder: Embedder) -> None:
    texts = [f"film number {n}" for n in range(12)]
    alone = embedder.embed_queries(texts)
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda t: embedder.embed_queries([t])[0], texts))
    np.testing.assert_allclose(np.stack(together), alone, atol=1e-5)
