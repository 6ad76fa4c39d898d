"""The answers of a language model to the cases, written once and shared by all methods that use them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from recsys.catalog import History, Item
from recsys.errors import InputError
from recsys.llm.base import Backend, Completion, Request, Sampling
from recsys.llm.scoring import Scoring, TextScore
from recsys.prompts.build import build_prompt, language_of
from recsys.retrieval.likelihood import likelihoods

ANSWERS = 4
"""Answers to one case, for methods that average several."""

_TEMPERATURE, _TOP_P = 0.5, 0.9
_TITLES_AT_ONCE = 100


@dataclass
class Spent:
    """What the model did so far: tokens that it wrote and scored.

    Answers are shared between methods, but each of them is charged for what it would need alone; `saved`
    is the seconds that were charged and not spent again.
    """

    written: int = 0
    scored: int = 0
    saved: float = 0.0


@dataclass(frozen=True)
class _Answered:
    history: tuple[Item, ...]
    shown: bool
    texts: tuple[str, ...]
    tokens: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class _Scored:
    given: tuple[float, ...]
    alone: tuple[float, ...]
    tokens: int
    seconds: float


@dataclass
class Answering:
    """One model, with or without an adapter, asked what comes next in `domain`.

    `trained_on` are the datasets that its adapter has learnt from: on those it is not zero-shot.
    """

    backend: Backend
    domain: str
    adapter: str | None = None
    max_tokens: int = 96
    seed: int = 0
    trained_on: tuple[str, ...] = ()
    spent: Spent = field(default_factory=Spent)
    _written: dict[tuple[tuple[str, ...], tuple[str, ...]], _Answered] = field(default_factory=dict)
    _scored: dict[tuple[tuple[str, ...], tuple[str, ...]], _Scored] = field(default_factory=dict)
    _alone: dict[str, TextScore] = field(default_factory=dict)

    def answers(
        self, history: tuple[Item, ...], count: int = 1, candidates: Sequence[Item] = ()
    ) -> list[str]:
        """`count` answers (at most ANSWERS) to one history; the first is the same whatever the count.

        They choose among `candidates`, or are written from memory where there are none.
        """
        key = (tuple(item.id for item in history), tuple(item.id for item in candidates))
        known = self._written.get(key)
        if known is None or len(known.texts) < count:
            started = time.perf_counter()
            done = self._complete(history, 1 if count == 1 else ANSWERS, candidates)
            known = self._written[key] = _Answered(
                history,
                bool(candidates),
                tuple(completion.text for completion in done),
                tuple(completion.tokens for completion in done),
                time.perf_counter() - started,
            )
        else:
            written = sum(known.tokens[:count])
            self.spent.written += written
            self.spent.saved += known.seconds * written / max(sum(known.tokens), 1)
        return list(known.texts[:count])

    def written(self, *, shown: bool) -> list[tuple[tuple[Item, ...], str]]:
        """The first answer to each history so far, of those that were `shown` candidates or of the others."""
        return [(one.history, one.texts[0]) for one in self._written.values() if one.shown == shown]

    def pmi(self, history: tuple[Item, ...], items: Sequence[Item]) -> tuple[list[float], list[float]]:
        """log p(title | history) and log p(title) of each item; see `recsys.retrieval.likelihood`.

        Raises InputError for a backend that cannot score.
        """
        key = (tuple(item.id for item in history), tuple(item.id for item in items))
        if known := self._scored.get(key):
            self.spent.scored += known.tokens
            self.spent.saved += known.seconds
            return list(known.given), list(known.alone)
        started, before = time.perf_counter(), set(self._alone)
        given, alone = likelihoods(self._scorer(), history, items, adapter=self.adapter, known=self._alone)
        new = [score for text, score in self._alone.items() if text not in before]
        known = self._scored[key] = _Scored(
            tuple(score.log_p for score in given),
            tuple(score.log_p for score in alone),
            sum(score.tokens for score in [*given, *new]),
            time.perf_counter() - started,
        )
        self.spent.scored += known.tokens
        return list(known.given), list(known.alone)

    def titles(self, items: Sequence[Item], kind: str) -> list[TextScore]:
        """The likelihood of each item's title after nothing but what kind of thing it is.

        Raises InputError for a backend that cannot score.
        """
        scorer, scored = self._scorer(), list[TextScore]()
        for begin in range(0, len(items), _TITLES_AT_ONCE):
            texts = [f" {item.title}\n" for item in items[begin : begin + _TITLES_AT_ONCE]]
            scored += scorer.score(f"{kind}:", texts, adapter=self.adapter)
        self.spent.scored += sum(score.tokens for score in scored)
        return scored

    def _scorer(self) -> Scoring:
        if not isinstance(self.backend, Scoring):
            raise InputError(
                reason=f"{self.backend.name} cannot tell how likely titles are; use a GGUF model."
            )
        return self.backend

    def choice(self, history: tuple[Item, ...], items: Sequence[Item]) -> str:
        """What the model says when it is shown `items` and asked which one comes next."""
        (done,) = self._complete(history, 1, items)
        return done.text

    def _complete(
        self, history: tuple[Item, ...], count: int, candidates: Sequence[Item] = ()
    ) -> list[Completion]:
        languages = self.backend.languages
        wanted = language_of(" ".join(item.title for item in history))
        language = wanted if wanted in languages else languages[0]
        prompt = build_prompt(History(history), target=self.domain, language=language, candidates=candidates)
        sampling = Sampling(
            seed=self.seed, temperature=_TEMPERATURE, top_p=_TOP_P, max_tokens=self.max_tokens
        )
        request = self.backend.fit(Request(prompt, sampling, n=count, adapter=self.adapter))
        done = self.backend.complete(request)
        self.spent.written += sum(completion.tokens for completion in done)
        return done
