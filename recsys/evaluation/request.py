"""What an evaluation is asked to do; page and API ask for sources and models by name, nothing by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsys.domains.sources import SourceFolder
from recsys.errors import InputError
from recsys.evaluation.cases import HISTORY_LENGTH
from recsys.evaluation.load import recognise_cases
from recsys.evaluation.methods.registry import check_names
from recsys.evaluation.splits import Split

MAX_USERS = 100_000


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    methods: tuple[str, ...] = ()
    users: int = Field(default=500, ge=1, le=MAX_USERS)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    split: Split = "auto"
    history: int = Field(default=HISTORY_LENGTH, ge=1, le=HISTORY_LENGTH)
    model: str = ""


class EvaluationRequest(_Options):
    """One evaluation. `methods` empty: all that need no language model; `model` is "name" or
    "name+adapter", empty: the app's default; `history` items of each person's are seen at most."""

    dataset: str
    path: Path


class _Asked(_Options):
    """The same with a source of the list instead of a path; its dataset is recognised when left out."""

    source: str
    dataset: str = ""


def requested_evaluation(
    values: Mapping[str, Any], sources: SourceFolder, check_model: Callable[[str], None]
) -> EvaluationRequest:
    """The evaluation that `values` ask for.

    `check_model` raises for a "model" or "model+adapter" that may not be named. Raises InputError with
    what is wrong, and what `check_model` raises.
    """
    try:
        asked = _Asked.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "The request"
        raise InputError(reason=f"{place}: {first['msg']}.") from error
    path = sources.path(asked.source)
    found = recognise_cases(path)
    if not (dataset := asked.dataset or found.dataset):
        reason = f"{asked.source} is no dataset that is known. Name the one that it is."
        raise found.error or InputError(reason=reason)
    check_names(asked.methods)
    check_model(asked.model)
    return EvaluationRequest(dataset=dataset, path=path, **asked.model_dump(exclude={"source", "dataset"}))
