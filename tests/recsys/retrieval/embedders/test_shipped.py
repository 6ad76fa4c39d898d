"""The demo catalogues' vectors that come with the app."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from recsys.demos import load_demos
from recsys.retrieval.chunks import Chunker
from recsys.retrieval.embedders.shipped import SHIPPED, ShippedVectors, write_vectors
from tests.recsys.conftest import CountingEmbedder, OtherEmbedder


@pytest.fixture(scope="module")
def passages(embedder: CountingEmbedder) -> list[str]:
    """All passages of all demo catalogues."""
    chunker = Chunker(embedder.count_tokens)
    items = [item for demo in load_demos().values() for item in demo.items.values()]
    return [chunk.embedded for item in items for chunk in chunker.chunks(item)]


def test_every_passage_of_the_demos_is_there(embedder: CountingEmbedder, passages: list[str]) -> None:
    """Where this fails, a catalogue was changed: run `python -m bench.demo_vectors`."""
    before = embedder.passages
    vectors = ShippedVectors(embedder).embed_passages(passages)
    assert embedder.passages == before
    assert vectors.shape == (len(passages), embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_they_are_what_the_embedder_gives(embedder: CountingEmbedder, passages: list[str]) -> None:
    some = passages[:: len(passages) // 12]
    shipped = ShippedVectors(embedder).embed_passages(some)
    cosines = np.sum(shipped * embedder.embed_passages(some), axis=1)
    assert cosines.min() > 0.999


def test_what_is_not_there_is_embedded(embedder: CountingEmbedder, passages: list[str]) -> None:
    before = embedder.passages
    texts = ["a red apple", passages[3], "한국어 문장", passages[0]]
    found = ShippedVectors(embedder).embed_passages(texts)
    assert embedder.passages == before + 2
    np.testing.assert_allclose(found, embedder.embed_passages(texts), atol=0.01)
    assert ShippedVectors(embedder).embed_passages([]).shape == (0, embedder.dimension)


def test_queries_go_to_the_embedder(embedder: CountingEmbedder, passages: list[str]) -> None:
    wrapped = ShippedVectors(embedder)
    np.testing.assert_array_equal(wrapped.embed_queries(passages[:1]), embedder.embed_queries(passages[:1]))
    assert (wrapped.name, wrapped.dimension, wrapped.loading) == (embedder.name, embedder.dimension, False)
    assert wrapped.count_tokens("a red apple") == embedder.count_tokens("a red apple")


@pytest.mark.parametrize("file", [SHIPPED, SHIPPED.with_name("missing.safetensors")])
def test_vectors_of_another_embedder_are_not_used(
    other_embedder: OtherEmbedder, passages: list[str], file: Path
) -> None:
    wrapped = ShippedVectors(other_embedder, file)
    np.testing.assert_array_equal(
        wrapped.embed_passages(passages[:1]), other_embedder.embed_passages(passages[:1])
    )


def test_what_is_written_is_read(embedder: CountingEmbedder, tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.safetensors", embedder, ["one", "two", "one"])
    before = embedder.passages
    found = ShippedVectors(embedder, tmp_path / "v.safetensors").embed_passages(["two", "one"])
    assert embedder.passages == before
    np.testing.assert_allclose(found, embedder.embed_passages(["two", "one"]), atol=1e-3)


def test_file_without_a_name_is_as_good_as_none(embedder: CountingEmbedder, tmp_path: Path) -> None:
    save_file({"vectors": np.zeros((1, 3), np.float16)}, tmp_path / "v.safetensors")
    assert ShippedVectors(embedder, tmp_path / "v.safetensors").embed_passages(["one"]).shape == (1, 384)
