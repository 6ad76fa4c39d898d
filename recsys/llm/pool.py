"""The models that are resident in this process, loaded in the background or when first asked for."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from recsys.errors import NotReadyError, UnknownModelError, ZeroshelfError
from recsys.llm.adapters import AdapterStore
from recsys.llm.backends import Opened, describe, open_backend, split_typed
from recsys.llm.base import Backend, OwnAdapters
from recsys.llm.registry import known_models
from recsys.llm.shipped import install_shipped, shipped_adapter
from recsys.settings import Settings

_log = logging.getLogger(__name__)

_RESIDENT = 2
"""Base models kept in memory; the least recently used makes room for a third."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One choice of model: a base, or a base with an adapter. `backend` is "none" where `error` says why
    there can be none.
    """

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
        install_shipped(self.adapters.root)
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._errors: dict[str, ZeroshelfError] = {}
        self._lock = threading.Lock()
        self._loading = threading.Lock()

    def preload(self) -> None:
        """Begin to load the default model in a thread of its own; `ready` and `error` tell how it went."""
        threading.Thread(target=self._preload, name="load-model", daemon=True).start()

    @property
    def default(self) -> str:
        """What answers when nobody chose: the app's model, with the adapter that is shipped for it."""
        model = self.settings.model
        adapter = shipped_adapter(self.adapters, model)
        return f"{model}+{adapter}" if adapter else model

    def ready(self, name: str) -> bool:
        """Whether the base model `name` can answer at once."""
        with self._lock:
            return name in self._opened

    def error(self, name: str) -> ZeroshelfError | None:
        """Why the last attempt to load `name` failed, or None."""
        return self._errors.get(name)

    def get(self, name: str, *, wait: bool = True) -> Backend:
        """The backend of base model `name`, loaded now where it is not resident.

        Without `wait`, NotReadyError is raised instead of loading. Raises UnknownModelError,
        ModelFileError and HubModelError.
        """
        with self._lock:
            if name in self._opened:
                self._opened.move_to_end(name)
                return self._opened[name].backend
        if not wait:
            if error := self._errors.get(name):
                raise error
            raise NotReadyError(what=f"The model {name}, which is being loaded,")
        with self._loading:
            if self.ready(name):
                return self.get(name)
            return self._load(name)

    def resolve(self, reference: str, *, typed: bool = False) -> tuple[Backend, str | None]:
        """Backend and adapter of "model" or "model+adapter"; an empty reference is `default`.

        Only models of the list, unless `typed` says that the reference was written on this machine, on
        the command line or into a file that it names. Raises UnknownModelError, UnknownAdapterError,
        AdapterFileError, ModelFileError.
        """
        model, adapter = self._split(reference or self.default)
        if not typed:
            self.check(model)
        elif model not in self.bases():
            model, adapter = split_typed(reference)
        if adapter is not None and (file := describe(model).adapter_file):
            self.adapters.get(adapter, model, file=file)
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

    def trainable(self) -> Sequence[str]:
        """Those of `bases` that lie in a GGUF file, whose weights can be trained."""
        infos = (info for info in self.list() if info.adapter is None)
        return tuple(info.name for info in infos if info.backend == "llama.cpp")

    def check(self, name: str) -> None:
        """Raise UnknownModelError where `name` is not among `bases`.

        A path, a download or a server comes from the command line only: page and API choose from the list.
        """
        if name not in self.bases():
            raise UnknownModelError(name=name, known=", ".join(self.bases()))

    def check_reference(self, reference: str) -> None:
        """Raise UnknownModelError where the model of `reference` is not among `bases`."""
        self.check(self._split(reference or self.settings.model)[0])

    def list(self) -> list[ModelInfo]:
        """Every choice of model: the default first, each base followed by its adapters."""
        choices = []
        for name in self.bases():
            opened = self._opened_as(name)
            try:
                described = describe(name)
            except ZeroshelfError as error:
                choices.append(ModelInfo(name, "none", (), None, False, str(error)))
                continue
            kind = opened.kind if opened else described.kind
            error_text = str(self._errors[name]) if name in self._errors else None
            choices += [
                ModelInfo(
                    name=f"{name}+{adapter}" if adapter else name,
                    backend=kind,
                    languages=described.languages,
                    adapter=adapter,
                    ready=opened is not None,
                    error=error_text,
                )
                for adapter in (None, *self._adapters_of(name, opened))
            ]
        return choices

    def _opened_as(self, name: str) -> Opened | None:
        with self._lock:
            return self._opened.get(name)

    def _adapters_of(self, name: str, opened: Opened | None) -> Sequence[str]:
        if opened and isinstance(opened.backend, OwnAdapters):
            return opened.backend.adapters()
        return [adapter.card.name for adapter in self.adapters.list(name)]

    def close(self) -> None:
        """Unload everything."""
        with self._lock:
            opened, self._opened = list(self._opened.values()), OrderedDict()
        for one in opened:
            one.backend.close()

    def _preload(self) -> None:
        try:
            self.get(self.settings.model)
        except ZeroshelfError as error:
            _log.error("%s", error)

    def _load(self, name: str) -> Backend:
        try:
            opened = open_backend(name, self.settings, self.adapters)
        except ZeroshelfError as error:
            self._errors[name] = error
            raise
        self._errors.pop(name, None)
        with self._lock:
            self._opened[name] = opened
            oldest = next(iter(self._opened))
            evicted = self._opened.pop(oldest) if len(self._opened) > _RESIDENT else None
        if evicted:
            evicted.backend.close()
        return opened.backend
