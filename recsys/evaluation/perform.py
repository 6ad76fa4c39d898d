"""A whole evaluation from what is asked to a report, as terminal and page run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from recsys.errors import UnknownAdapterError
from recsys.evaluation.answering import Answering
from recsys.evaluation.cases import EvaluationData
from recsys.evaluation.load import load_cases
from recsys.evaluation.methods.registry import asks_model, check_methods, usual_methods
from recsys.evaluation.request import EvaluationRequest
from recsys.evaluation.run import Evaluation, evaluate
from recsys.evaluation.workbench import Workbench
from recsys.llm.pool import ModelPool
from recsys.retrieval.embedders.choice import open_embedder
from recsys.retrieval.vector_cache import CachedEmbedder
from recsys.settings import Settings

Stage = Literal["starting", "reading", "embedding", "loading the model", "drawing candidates", "ranking"]

_WORTH_TELLING = 64
"""Texts: fewer are embedded on the way, while users are ranked."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where an evaluation is: `done` of `total` texts are embedded, or users dealt with; both are 0 where
    nothing is counted. `method` is the one that is ranking, `methods` are all."""

    stage: Stage
    done: int = 0
    total: int = 0
    method: str = ""
    methods: tuple[str, ...] = ()


def perform(
    request: EvaluationRequest,
    settings: Settings,
    said: Callable[[Step], None] = lambda step: None,
    loaded: Callable[[EvaluationData], None] = lambda data: None,
    *,
    typed: bool = False,
) -> Evaluation:
    """Do it. `said` is told each step and `loaded` the cases; `EvaluationStopped` raised by `said` ends it,
    with a report of the methods that are finished, where there are any.

    `typed`: the model was named on this machine, so it may be a path or a server. Raises InputError,
    DatasetFileError, DatasetFormatError, UnknownModelError, UnknownAdapterError, ModelFileError.
    """
    said(Step("reading"))
    data = load_cases(
        request.dataset, request.path, users=request.users, seed=request.seed, split=request.split
    )
    data = data.seeing(request.history)
    names = check_methods(request.methods or usual_methods(data), data)
    loaded(data)

    def embedded(done: int, total: int) -> None:
        if total >= _WORTH_TELLING:
            said(Step("embedding", done, total))

    def ranked(method: str, done: int, total: int) -> None:
        said(Step("ranking" if method else "drawing candidates", done, total, method, names))

    embedder = CachedEmbedder(open_embedder(settings), settings.paths.vectors, embedded)
    pool = ModelPool(settings)
    try:
        bench = Workbench(data, embedder, seed=request.seed)
        said(Step("embedding"))
        bench.embed()
        if any(asks_model(name, data) for name in names):
            said(Step("loading the model"))
            bench.answering = _answering(pool, request, settings, data.domain, typed=typed)
        return evaluate(bench, names, ranked)
    finally:
        pool.close()
        embedder.close()


def _answering(
    pool: ModelPool, request: EvaluationRequest, settings: Settings, domain: str, *, typed: bool
) -> Answering:
    backend, adapter = pool.resolve(request.model, typed=typed)
    return Answering(
        backend,
        domain,
        adapter,
        max_tokens=settings.max_answer_tokens,
        seed=request.seed,
        trained_on=_trained_on(pool, backend.name, adapter),
    )


def _trained_on(pool: ModelPool, model: str, adapter: str | None) -> tuple[str, ...]:
    """What the adapter's card says; of an adapter on a server nothing is known."""
    try:
        return pool.adapters.trained_on(adapter, model) if adapter else ()
    except UnknownAdapterError:
        return ()
