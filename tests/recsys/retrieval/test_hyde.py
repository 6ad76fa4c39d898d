from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.catalog import Item
from recsys.retrieval.chunks import Chunk
from recsys.retrieval.embedders import Embedder
from recsys.retrieval.hyde import hyde_vector
from recsys.retrieval.index import VectorIndex

FILMS = {
    "space": "an astronaut alone on Mars",
    "western": "a gunman rides through the desert",
    "kitchen": "a cook opens a small restaurant",
    "war": "soldiers wait in a trench",
}
BOOKS = {
    "orbit": "a novel about life aboard a space station",
    "recipes": "a book of soups and bread",
    "cowboys": "a novel about cattle and outlaws",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> VectorIndex:
    index = VectorIndex(tmp_path_factory.mktemp("index"), embedder)
    for catalog, texts in {"films": FILMS, "books": BOOKS}.items():
        index.add(index.create(catalog), [Chunk(i, 0, text, text) for i, text in texts.items()])
    return index


def _item(catalog: str, item_id: str) -> tuple[str, Item]:
    return catalog, Item(id=item_id, title=item_id)


def _nearest(index: VectorIndex, catalog: str, vector: np.ndarray) -> str:
    return index.search(catalog, vector, 1)[0].item_id


@pytest.mark.parametrize(
    "parts",
    [
        {"query": "space"},
        {"answer": "A film about space."},
        {"history": [_item("films", "space")]},
        {"history": [_item("", "Never Made")]},
        {"history": [_item("films", "not-there"), _item("nothing", "x")]},
        {"history": [_item("films", "space"), _item("", "Typed")], "query": "q", "answer": "a"},
    ],
)
def test_vector_has_length_one(index: VectorIndex, embedder: Embedder, parts: dict) -> None:
    vector = hyde_vector(index, embedder, target="books", **parts)
    assert vector.shape == (embedder.dimension,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("film", "book"), [("space", "orbit"), ("kitchen", "recipes")])
def test_history_finds_its_like_in_another_domain(
    index: VectorIndex, embedder: Embedder, film: str, book: str
) -> None:
    vector = hyde_vector(index, embedder, target="books", history=[_item("films", film)])
    assert _nearest(index, "books", vector) == book


def test_query_and_answer_each_pull(index: VectorIndex, embedder: Embedder) -> None:
    def similar(**parts: str) -> float:
        target = hyde_vector(index, embedder, target="books", answer=BOOKS["orbit"])
        return float(hyde_vector(index, embedder, target="books", **parts) @ target)

    assert similar(query="bread and soup", answer="life on a space station") > similar(query="bread and soup")
    assert similar(query="life on a space station") > similar(query="bread and soup")


def test_same_request_gives_the_same_vector(index: VectorIndex, embedder: Embedder) -> None:
    first, second = (hyde_vector(index, embedder, target="films", query="space") for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_unindexed_target_is_searched_uncentred(index: VectorIndex, embedder: Embedder) -> None:
    vector = hyde_vector(index, embedder, target="nothing", query="space")
    np.testing.assert_allclose(vector, embedder.embed_queries(["space"])[0], atol=1e-3)


def test_centroid_is_the_mean_of_all_chunks(index: VectorIndex, embedder: Embedder) -> None:
    expected = embedder.embed_passages(list(FILMS.values())).mean(axis=0)
    np.testing.assert_allclose(index.centroid("films"), expected, atol=1e-3)
    assert not index.centroid("nothing").any()


def test_centroid_follows_what_is_added(embedder: Embedder, tmp_path: Path) -> None:
    index = VectorIndex(tmp_path, embedder)
    collection = index.create("growing")
    index.add(collection, [Chunk("a", 0, "one", "a film about bees")])
    early = index.centroid("growing")
    index.add(collection, [Chunk("b", 0, "two", "the price of steel")])
    assert not np.allclose(early, index.centroid("growing"), atol=1e-3)


def test_item_vector_is_the_mean_of_its_chunks(embedder: Embedder, tmp_path: Path) -> None:
    index = VectorIndex(tmp_path, embedder)
    index.add(index.create("two"), [Chunk("a", n, t, t) for n, t in enumerate(("bees", "steel"))])
    found = index.item_vectors("two", ["a", "missing"])
    assert set(found) == {"a"}
    np.testing.assert_allclose(found["a"], embedder.embed_passages(["bees", "steel"]).mean(axis=0), atol=1e-3)
    assert index.item_vectors("two", []) == index.item_vectors("nothing", ["a"]) == {}
