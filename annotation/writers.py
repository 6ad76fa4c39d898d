"""Which models write a prompt's five candidates, and in which settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from annotation.errors import PolicyError
from annotation.policy import CandidateSource
from annotation.records import CANDIDATES
from recsys.llm.base import Backend, Sampling


@dataclass(frozen=True, slots=True)
class Writer:
    """A model with the settings in which it writes `count` of the five."""

    backend: Backend
    adapter: str | None
    sampling: Sampling
    count: int


def choose_writers(
    sources: Sequence[CandidateSource],
    language: str,
    app: Writer,
    models: Callable[[str], Backend] | None,
) -> list[Writer]:
    """The writers that the policy's `sources` name; `app` writes all five where they name none.

    It also takes the place of a model that does not write the prompt's language. `models` gives
    backends by name; without it PolicyError is raised for a source that names one. Also raises what
    `models` raises.
    """
    if not sources:
        return [app]
    return [_writer(source, language, app, models) for source in sources]


def _writer(
    source: CandidateSource, language: str, app: Writer, models: Callable[[str], Backend] | None
) -> Writer:
    sampling = source.settings(app.sampling)
    if not source.model:
        return Writer(app.backend, source.adapter, sampling, source.count)
    if models is None:
        raise PolicyError(problem="only the app's own model can be used here")
    backend = models(source.model)
    if language not in backend.languages:
        return Writer(app.backend, app.adapter, sampling, source.count)
    return Writer(backend, source.adapter, sampling, source.count)


def one_writer(backend: Backend, adapter: str | None, sampling: Sampling) -> Writer:
    """A model that writes all five."""
    return Writer(backend, adapter, sampling, CANDIDATES)
