"""A language model puts the first retrieved items into another order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.catalog import History, Item
from recsys.errors import InputError
from recsys.llm.base import Backend, Request
from recsys.llm.scoring import Scoring
from recsys.prompts.build import build_prompt
from recsys.retrieval.answer_text import named_title
from recsys.retrieval.choosing import Rerank
from recsys.retrieval.keywords import Scores
from recsys.retrieval.likelihood import RerankSettings, likelihoods, reranked
from recsys.retrieval.settings import RetrievalSettings
from recsys.retrieval.titles import TitleMatcher


@dataclass(frozen=True)
class LikelihoodRerank:
    """By log p(title | history) - log p(title); see `recsys.retrieval.likelihood`."""

    scorer: Scoring
    adapter: str | None
    history: tuple[Item, ...]
    settings: RerankSettings

    def __call__(self, items: Sequence[Item], scores: Scores) -> Scores:
        """One prompt for all titles, whose cells of the KV cache they share."""
        given, alone = likelihoods(self.scorer, self.history, items, adapter=self.adapter)
        log_p, log_p_alone = ([score.log_p for score in part] for part in (given, alone))
        return reranked(scores, np.arange(len(items)), log_p, log_p_alone, self.settings)


@dataclass(frozen=True)
class ListwiseRerank:
    """The model is shown the items and names one, which goes on top; an answer that names none of them
    changes nothing. Sun et al., "Is ChatGPT Good at Search?", EMNLP 2023, reduced to one choice."""

    backend: Backend
    request: Request
    person: History
    target: str

    def __call__(self, items: Sequence[Item], scores: Scores) -> Scores:
        """Asked in the language of the request."""
        language = self.request.prompt.language
        prompt = build_prompt(self.person, target=self.target, language=language, candidates=items)
        asked = self.backend.fit(replace(self.request, prompt=prompt, n=1))
        answers = self.backend.complete(asked)
        result = scores.copy()
        if answers and (chosen := chosen_item(answers[0].text, items)) is not None:
            result[chosen] = float(np.max(scores)) + 1.0
        return result


def chosen_item(answer: str, items: Sequence[Item]) -> int | None:
    """Which of `items` an answer names, if any."""
    return TitleMatcher(items).match(named_title(answer))


def reranker(
    backend: Backend, request: Request, person: History, target: str, settings: RetrievalSettings
) -> Rerank | None:
    """What `settings` ask for. Raises InputError for a model that cannot tell how likely titles are."""
    if settings.rerank == "listwise":
        return ListwiseRerank(backend, request, person, target)
    if settings.rerank == "none" or not person.items:
        return None  # likelihoods go by the history: a query alone says nothing of titles
    if not isinstance(backend, Scoring):
        raise InputError(reason=f"{backend.name} cannot tell how likely titles are; use a GGUF model.")
    return LikelihoodRerank(backend, request.adapter, person.items, settings.likelihood)
