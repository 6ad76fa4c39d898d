"""The models that are resident in this process, loaded in the background or when first asked for."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from recsys.errors import InputError, NotReadyError, UnknownModelError, ZeroshelfError
from recsys.llm import hub
from recsys.llm.adapters import AdapterStore
from recsys.llm.base import Backend
from recsys.llm.llama_cpp import LlamaCppBackend
from recsys.llm.model_files import model_file
from recsys.llm.registry import known_models, load_spec
from recsys.settings import Settings

_log = logging.getLogger(__name__)

_RESIDENT = 2
"""Base models kept in memory; the least recently used makes room for a third."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One choice of model: a base, or a base with an adapter."""

    name: str
    backend: str
    languages: tuple[str, ...]
    adapter: str | None
    ready: bool
    error: str | None = None


def split_reference(reference: str) -> tuple[str, str | None]:
    """ "model+adapter" as (model, adapter); the adapter is None without a plus sign."""
    model, plus, adapter = reference.partition("+")
    return model, adapter if plus else None


class ModelPool:
    """Backends by model name. Safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.adapters = AdapterStore(settings.paths.adapters)
        self._backends: OrderedDict[str, LlamaCppBackend] = OrderedDict()
        self._errors: dict[str, ZeroshelfError] = {}
        self._lock = threading.Lock()
        self._loading = threading.Lock()

    def preload(self) -> None:
        """Begin to load the default model in a thread of its own; `ready` and `error` tell how it went."""
        threading.Thread(target=self._preload, name="load-model", daemon=True).start()

    def ready(self, name: str) -> bool:
        """Whether the base model `name` can answer at once."""
        with self._lock:
            return name in self._backends

    def error(self, name: str) -> ZeroshelfError | None:
        """Why the last attempt to load `name` failed, or None."""
        return self._errors.get(name)

    def get(self, name: str, *, wait: bool = True) -> Backend:
        """The backend of base model `name`, loaded now where it is not resident.

        Without `wait`, NotReadyError is raised instead of loading. Raises UnknownModelError and
        ModelFileError.
        """
        with self._lock:
            if name in self._backends:
                self._backends.move_to_end(name)
                return self._backends[name]
        if not wait:
            if error := self._errors.get(name):
                raise error
            raise NotReadyError(what=f"The model {name}, which is being loaded,")
        with self._loading:
            if self.ready(name):
                return self.get(name)
            return self._load(name)

    def resolve(self, reference: str) -> tuple[Backend, str | None]:
        """Backend and adapter of "model" or "model+adapter"; an empty reference is the default model.

        Raises UnknownModelError, UnknownAdapterError, AdapterFileError, ModelFileError.
        """
        model, adapter = self._split(reference or self.settings.model)
        self.check(model)
        if adapter is not None:
            self.adapters.get(adapter, model)
        return self.get(model), adapter

    def _split(self, reference: str) -> tuple[str, str | None]:
        """`split_reference`, for a default model whose path may itself hold a plus sign."""
        default = self.settings.model
        if reference == default:
            return default, None
        if reference.startswith(f"{default}+"):
            return default, reference.removeprefix(f"{default}+")
        return split_reference(reference)

    def bases(self) -> Sequence[str]:
        """The base models that page and API can name, the default first."""
        return tuple(dict.fromkeys([self.settings.model, *known_models()]))

    def check(self, name: str) -> None:
        """Raise where `name` cannot name a base model of this app."""
        if name == self.settings.model or name in known_models():
            return
        if name.endswith(".gguf") or name.startswith(hub.PREFIX):
            # A path or a download comes from the command line only: page and API choose from the list.
            raise UnknownModelError(name=name, known=", ".join(self.bases()))
        load_spec(name)

    def list(self) -> list[ModelInfo]:
        """Every choice of model: the default first, each base followed by its adapters."""
        choices = []
        for name in self.bases():
            try:
                languages = load_spec(name).languages
            except ZeroshelfError as error:
                choices.append(ModelInfo(name, "llama.cpp", (), None, False, str(error)))
                continue
            error_text = str(self._errors[name]) if name in self._errors else None
            ready = self.ready(name)
            choices.append(ModelInfo(name, "llama.cpp", languages, None, ready, error_text))
            choices += [
                ModelInfo(f"{name}+{a.card.name}", "llama.cpp", languages, a.card.name, ready, error_text)
                for a in self.adapters.list(name)
            ]
        return choices

    def close(self) -> None:
        """Unload everything."""
        with self._lock:
            backends, self._backends = list(self._backends.values()), OrderedDict()
        for backend in backends:
            backend.close()

    def _preload(self) -> None:
        try:
            self.get(self.settings.model)
        except ZeroshelfError as error:
            _log.error("%s", error)

    def _load(self, name: str) -> Backend:
        try:
            spec = load_spec(name)
            path = model_file(spec, self.settings.paths.models)
            backend = LlamaCppBackend(
                spec,
                path,
                self.adapters,
                context_tokens=self.settings.context_tokens,
                threads=self.settings.threads,
            )
        except ZeroshelfError as error:
            self._errors[name] = error
            raise
        self._errors.pop(name, None)
        with self._lock:
            self._backends[name] = backend
            oldest = next(iter(self._backends))
            evicted = self._backends.pop(oldest) if len(self._backends) > _RESIDENT else None
        if evicted:
            evicted.close()
        return backend


def check_model_option(name: str) -> str:
    """`name` when this version can serve it; raises UnknownModelError, ModelFileError, InputError."""
    if name.startswith("openai:"):
        raise InputError(
            reason=f"{name!r} names a backend that this version does not have yet. "
            "Use an embedded model, a path to a .gguf file, or hf:org/name."
        )
    load_spec(name)
    return name
