"""What can be switched about a recommendation's retrieval, in one place, with the defaults of the playground.

docs/retrieval.md says what each switch was measured to do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsys.errors import InputError
from recsys.llm.base import MAX_ANSWERS
from recsys.retrieval.answer_text import AnswerPart
from recsys.retrieval.diversity import DiversitySettings
from recsys.retrieval.hyde import SearchWeights
from recsys.retrieval.likelihood import RerankSettings
from recsys.retrieval.ranker import RankerSettings


class RetrievalSettings(BaseModel):
    """How real items are found and ordered.

    `answers` hypothetical answers are written (the first one is shown) and their vectors averaged; 0 is
    retrieval alone, without a model. Before it writes, the model is shown the `candidates` items nearest to
    what is known of the person, so that it need not know the catalogue by heart; 0 is HyDE as published, out
    of its memory. `part` of each answer is embedded. `order`: by "search" with one vector of the
    `weights`, by all `signals` of the catalogue in memory, or "auto": by signals where most of the history is
    of the catalogue itself, otherwise by that vector and the words of what was asked. `rerank`: the model's
    likelihood of the first titles, or its choice of one among the first `shown`, puts them into another
    order. `diversity` comes last.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    answers: int = Field(default=1, ge=0, le=MAX_ANSWERS)
    candidates: int = Field(default=5, ge=0, le=20)
    part: AnswerPart = "whole"
    weights: SearchWeights = SearchWeights()
    order: Literal["auto", "search", "signals"] = "auto"
    signals: RankerSettings = RankerSettings()
    rerank: Literal["none", "likelihood", "listwise"] = "none"
    likelihood: RerankSettings = RerankSettings()
    shown: int = Field(default=10, ge=2, le=30)
    diversity: DiversitySettings = DiversitySettings(duplicate=0.9)

    @property
    def needs_model(self) -> bool:
        """Whether a language model takes part."""
        return self.answers > 0 or self.rerank != "none"

    @property
    def rerank_depth(self) -> int:
        """How many of the first items the model puts into another order."""
        return {"none": 0, "likelihood": self.likelihood.depth, "listwise": self.shown}[self.rerank]


def settings_from_json(text: str) -> RetrievalSettings:
    """`retrieval_settings` of a JSON object, as the command line takes it."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InputError(reason=f"The retrieval settings are not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise InputError(reason='The retrieval settings are no JSON object, such as {"answers": 4}.')
    return retrieval_settings(given)


def retrieval_settings(given: Mapping[str, Any] | None) -> RetrievalSettings:
    """Settings from plain values, as they come over HTTP; those left out have their defaults.

    Raises InputError with the field and what is wrong with it.
    """
    try:
        return RetrievalSettings.model_validate(dict(given or {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise InputError(reason=f"The retrieval setting {where} cannot be used: {first['msg']}.") from error
