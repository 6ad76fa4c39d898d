"""A job as page and API ask for it: sources by name from a list, models from a list, nothing by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from recsys.domains.recognise import recognise
from recsys.domains.sources import SourceFolder
from recsys.errors import InputError
from recsys.synthesis.config import SynthesisConfig, parse_config


class RequestedSource(BaseModel):
    """A source of the list; its dataset is recognised where it is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    dataset: str = ""
    share: float | None = None


def requested_config(
    values: Mapping[str, Any], sources: SourceFolder, check_model: Callable[[str], None]
) -> SynthesisConfig:
    """The configuration that `values` ask for: its fields, with `sources` as `RequestedSource`s.

    `check_model` raises for a "model" or "model+adapter" that may not be named. Raises InputError with
    what is wrong, and what `check_model` raises.
    """
    try:
        wanted = [RequestedSource.model_validate(one) for one in values.get("sources") or ()]
    except ValidationError as error:
        raise InputError(reason=f"sources: {error.errors()[0]['msg']}.") from error
    if not wanted:
        raise InputError(reason="No source is chosen. Choose at least one, or upload a dataset.")
    config = parse_config({**values, "sources": [_resolved(one, sources) for one in wanted]}, "The request")
    check_model(config.tokenizer)
    if config.teacher.model:
        check_model(config.teacher.model)
    return config


def _resolved(wanted: RequestedSource, sources: SourceFolder) -> dict[str, Any]:
    path = sources.path(wanted.source)
    dataset = wanted.dataset
    if not dataset:
        found = recognise(path)
        if not found.dataset:
            reason = f"{wanted.source} is no dataset that is known. Name the one that it is."
            raise found.error or InputError(reason=reason)
        dataset = found.dataset
    return {"dataset": dataset, "path": path, "share": wanted.share or None}
