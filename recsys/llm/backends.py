"""Which backend serves a model, by the model's name. Its libraries are imported when it is chosen.

llama.cpp      an embedded model, a .gguf file, hf:org/name where the repository has a GGUF file
transformers   a folder with safetensors, hf:org/name where the repository has only those
openai         openai:http://host:8000/v1#model-name, a model on a server
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recsys.errors import ModelFileError, ZeroshelfError
from recsys.llm import hub
from recsys.llm.adapters import GGUF, WEIGHTS, AdapterStore, check_adapter_name
from recsys.llm.base import Backend
from recsys.llm.model_files import model_file
from recsys.llm.openai_server import name as server_name
from recsys.llm.registry import ModelSpec, known_models, load_spec
from recsys.settings import Settings

Kind = Literal["llama.cpp", "transformers", "openai"]

_BOTH = ("en", "ko")


@dataclass(frozen=True, slots=True)
class Description:
    """What a model's name says. Until a model of the hub has been looked at, its kind is a guess."""

    kind: Kind
    languages: tuple[str, ...]

    @property
    def adapter_file(self) -> str | None:
        """The file of an adapter's folder that the backend loads; None where a server has the adapters."""
        return {"llama.cpp": GGUF, "transformers": WEIGHTS, "openai": None}[self.kind]


@dataclass(frozen=True, slots=True)
class Opened:
    """A backend that can be asked, and which one it is."""

    kind: Kind
    backend: Backend


def describe(name: str) -> Description:
    """What can be said of a model before it is loaded.

    Raises UnknownModelError, ServerNameError and ModelFileError where it cannot be one.
    """
    if name.startswith(server_name.PREFIX):
        server_name.parse_server_name(name)
        return Description("openai", _BOTH)
    if _folder(name):
        return Description("transformers", _BOTH)
    languages = load_spec(name).languages
    return Description(_hub_kind(name) if name.startswith(hub.PREFIX) else "llama.cpp", languages)


def split_typed(reference: str) -> tuple[str, str | None]:
    """Model and adapter of "model+adapter", or of "model", where the model has any name.

    A path may hold plus signs, an adapter's name does not. Nothing is raised: what is no model's name
    comes back whole.
    """
    model, _, adapter = reference.rpartition("+")
    try:
        describe(model)
        return model, check_adapter_name(adapter)
    except ZeroshelfError:
        return reference, None


def open_backend(name: str, settings: Settings, adapters: AdapterStore) -> Opened:
    """Load the model, or make ready to ask its server. Takes seconds to minutes.

    Raises what `describe` raises, and HubModelError.
    """
    if name.startswith(server_name.PREFIX):
        return _server(name, settings)
    if folder := _folder(name):
        return _transformers(name, folder, settings, adapters)
    spec = load_spec(name)
    if name.startswith(hub.PREFIX):
        path = hub.fetch(name, dense=True)
        if path.is_dir():
            return _transformers(name, path, settings, adapters)
        return _llama_cpp(spec, path, settings, adapters)
    return _llama_cpp(spec, model_file(spec, settings.paths.models), settings, adapters)


def _llama_cpp(spec: ModelSpec, path: Path, settings: Settings, adapters: AdapterStore) -> Opened:
    from recsys.llm.llama_cpp import LlamaCppBackend

    backend = LlamaCppBackend(
        spec,
        path,
        adapters,
        context_tokens=settings.context_tokens,
        threads=settings.threads,
        plans=settings.paths.models,
    )
    return Opened("llama.cpp", backend)


def _transformers(name: str, folder: Path, settings: Settings, adapters: AdapterStore) -> Opened:
    from recsys.llm.transformers_backend import TransformersBackend

    backend = TransformersBackend(
        name, folder, adapters, context_tokens=settings.context_tokens, four_bit=settings.four_bit
    )
    return Opened("transformers", backend)


def _server(name: str, settings: Settings) -> Opened:
    from recsys.llm.openai_server.backend import OpenAIBackend

    backend = OpenAIBackend(
        server_name.parse_server_name(name),
        context_tokens=settings.context_tokens,
        requests=settings.openai_requests,
        timeout_s=settings.openai_timeout_s,
    )
    return Opened("openai", backend)


def _folder(name: str) -> Path | None:
    """The folder that `name` is the path of, if it is one; raises ModelFileError for one without a model."""
    if not name or name in known_models() or name.startswith(hub.PREFIX):
        return None
    path = Path(name).expanduser()
    if not path.is_dir():
        return None
    if not hub.is_whole(path):
        problem = f"the folder has no config.json, or not all of its {hub.DENSE}"
        raise ModelFileError(path=path, problem=problem)
    return path.resolve()


def _hub_kind(name: str) -> Kind:
    _, quantisation = hub.parse_name(name)
    if path := hub.cached(name, dense=True):
        return "transformers" if path.is_dir() else "llama.cpp"
    return "llama.cpp" if quantisation or "gguf" in name.lower() else "transformers"
