from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from recsys.catalog import Item
from recsys.errors import EmbedderError
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.embedders.prefixes import Prefixes
from recsys.retrieval.embedders.transformers import SentenceTransformersEmbedder
from recsys.retrieval.hyde import hyde_vector
from recsys.settings import Paths
from tests.recsys.retrieval.embedders.support import tiny_model

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[4]
Open = Callable[..., SentenceTransformersEmbedder]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def opened() -> Iterator[Open]:
    made: list[SentenceTransformersEmbedder] = []

    def make(folder: Path, name: str = "folder:tiny", **options: Prefixes) -> SentenceTransformersEmbedder:
        made.append(SentenceTransformersEmbedder(name, lambda: folder, **options))
        return made[-1]

    yield make
    for embedder in made:
        embedder.close()


@pytest.fixture(scope="module")
def tiny(opened: Open, folder: Path) -> SentenceTransformersEmbedder:
    return opened(folder)


def test_vectors_have_length_one_and_the_models_dimension(tiny: SentenceTransformersEmbedder) -> None:
    for embed in (tiny.embed_queries, tiny.embed_passages):
        vectors = embed(["a red apple", "", "a\0b \ud800", "space " * 500] * 5)
        assert vectors.shape == (20, tiny.dimension) == (20, 32)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)
    assert tiny.embed_passages([]).shape == (0, 32)
    assert not tiny.loading


def test_text_of_the_same_words_is_nearer(tiny: SentenceTransformersEmbedder) -> None:
    near, far = (
        tiny.embed_passages(["a red apple pie", "a blue car road"]) @ tiny.embed_queries(["red apple"])[0]
    )
    assert near > far


def test_tokens_are_those_of_the_model_and_uncut(tiny: SentenceTransformersEmbedder) -> None:
    assert tiny.count_tokens("a red apple") == 5
    assert tiny.count_tokens("apple " * 100) == 102


def test_several_threads_get_their_own_vectors(tiny: SentenceTransformersEmbedder) -> None:
    texts = ["a red apple", "a blue car", "green soup", "moon star"] * 3
    alone = tiny.embed_queries(texts)
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda text: tiny.embed_queries([text])[0], texts))
    np.testing.assert_allclose(np.stack(together), alone, atol=1e-5)


def test_the_apps_process_has_no_torch(folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from recsys.retrieval.embedders.choice import open_embedder\n"
        "from recsys.settings import Settings\n"
        "embedder = open_embedder(Settings(embedder=sys.argv[1]))\n"
        "assert embedder.embed_queries(['red apple']).shape == (1, 32)\n"
        "assert embedder.name.startswith('folder:tiny@'), embedder.name\n"
        "embedder.close()\n"
        "assert not {'torch', 'transformers', 'sentence_transformers'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", script, str(folder)], cwd=ROOT, check=True, timeout=300)


def test_prefixes_make_other_vectors_and_another_name(
    opened: Open, folder: Path, tiny: SentenceTransformersEmbedder
) -> None:
    other = opened(folder, prefixes=Prefixes("query : ", None))
    assert other.name != tiny.name
    assert other.name.partition("@")[0] == tiny.name.partition("@")[0]
    np.testing.assert_allclose(
        other.embed_queries(["red apple"]), tiny.embed_queries(["query : red apple"]), atol=1e-5
    )
    np.testing.assert_allclose(
        other.embed_passages(["red apple"]), tiny.embed_passages(["red apple"]), atol=1e-5
    )


def test_model_of_a_known_family_gets_its_prefixes_and_its_own_go_before(
    opened: Open, folder: Path, tiny: SentenceTransformersEmbedder, tmp_path: Path
) -> None:
    known = opened(folder, name="hf:intfloat/e5-small")
    plain = tiny.embed_queries(["query: apple", "passage : apple"])
    np.testing.assert_allclose(known.embed_queries(["apple"])[0], plain[0], atol=1e-5)
    own = tiny_model(tmp_path / "own", prompts={"query": "passage : "})
    prompted = opened(own, name="hf:intfloat/e5-small")
    np.testing.assert_allclose(prompted.embed_queries(["apple"])[0], plain[1], atol=1e-5)


def test_process_that_was_killed_is_started_again(tiny: SentenceTransformersEmbedder) -> None:
    before = tiny.embed_queries(["red apple"])
    (worker,) = [p for p in psutil.Process().children() if _is_worker_of(p, tiny)]
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(10)
    np.testing.assert_allclose(tiny.embed_queries(["red apple"]), before, atol=1e-6)


def _is_worker_of(process: psutil.Process, embedder: SentenceTransformersEmbedder) -> bool:
    worker = embedder._worker
    return worker is not None and process.pid == worker.process.pid


def test_folder_without_usable_weights_is_told_and_not_tried_again(opened: Open, tmp_path: Path) -> None:
    broken = tiny_model(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"nonsense")
    embedder = opened(broken, name="folder:broken")
    for _ in range(2):
        with pytest.raises(EmbedderError, match=r"folder:broken cannot be used.*ZEROSHELF_EMBEDDER"):
            embedder.embed_queries(["x"])
    assert not embedder.loading
    embedder.close()
    with pytest.raises(EmbedderError):
        _ = embedder.name


def test_pickled_weights_are_not_read(opened: Open, tmp_path: Path) -> None:
    pickled = tiny_model(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(EmbedderError):
        opened(pickled).embed_queries(["x"])


def test_catalogue_is_indexed_and_searched_with_it(
    tiny: SentenceTransformersEmbedder, make_items: Callable[..., list[Item]], tmp_path: Path
) -> None:
    catalogs = Catalogs(Paths(tmp_path), tiny)
    catalogs.store.put("mine", "films", "en", make_items("red apple pie", "blue car road", "moon star space"))
    catalogs.index_catalog("mine")
    collection = catalogs.index.collection("mine")
    assert collection is not None
    assert collection.metadata["embedder"] == tiny.name
    assert collection.metadata["dimension"] == 32
    vector = hyde_vector(catalogs.index, tiny, target="mine", query="red apple")
    assert catalogs.search("mine", vector, 1)[0][0].title == "red apple pie"
    catalogs.close()
