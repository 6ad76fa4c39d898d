"""Who writes queries and responses: a grammar over what is known, or a language model."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Protocol

from recsys.llm.base import Backend, Priority, Request, Sampling
from recsys.prompts.formats import Prompt
from recsys.synthesis.config import ModelTeacherConfig
from recsys.synthesis.explaining import explanation, response_prompt
from recsys.synthesis.facts import target_facts
from recsys.synthesis.filling import fill
from recsys.synthesis.grammar import load_grammar
from recsys.synthesis.plain import plain_response
from recsys.synthesis.queries import parse_query, query_prompt
from recsys.synthesis.responses import response_facts, response_pattern
from recsys.synthesis.tasks import Task
from recsys.synthesis.words import load_words

_FOLDER = Path(__file__).with_name("data")
_QUERY_TOKENS = 32


class Teacher(Protocol):
    """Writes queries and responses, many at a time, in the order of the tasks."""

    @property
    def name(self) -> str:
        """What the rows record."""

    @property
    def attempts(self) -> int:
        """How often a rejected text may be written anew."""

    def queries(self, tasks: Sequence[Task]) -> list[str]:
        """What somebody might type who wants the target and does not know it."""

    def responses(self, tasks: Sequence[Task]) -> list[str]:
        """One paragraph for each task that explains, and then names the target."""


class AttributesTeacher:
    """Writes from a grammar and the items' own attributes. The same task gives the same text."""

    name = "attributes"
    attempts = 4

    def queries(self, tasks: Sequence[Task]) -> list[str]:
        """Phrases made of the target's attributes."""
        return [self._query(task) for task in tasks]

    def responses(self, tasks: Sequence[Task]) -> list[str]:
        """Paragraphs made of what history and target share."""
        return [self._response(task) for task in tasks]

    def _query(self, task: Task) -> str:
        draw = Random(task.seed)
        words = load_words(task.domain, task.language)
        facts = target_facts(task.target, words, draw)
        grammar = load_grammar(_FOLDER / f"query.{task.language}.toml", task.domain)
        values = words.values() | facts.values
        pattern = grammar.pattern("query", values, draw, facts.tells, otherwise="query_bare")
        return fill(pattern, values, sentences=False)

    def _response(self, task: Task) -> str:
        facts = response_facts(task)
        return fill(response_pattern(task, facts), facts.values)


class PlainTeacher(AttributesTeacher):
    """Queries of the same grammar, responses of one shape; see `recsys.synthesis.plain`."""

    name = "plain"
    attempts = 1

    def responses(self, tasks: Sequence[Task]) -> list[str]:
        """Three sentences each."""
        return [plain_response(task) for task in tasks]


class ModelTeacher:
    """Asks a language model, a batch of prompts at a time."""

    def __init__(
        self,
        backend: Backend,
        config: ModelTeacherConfig,
        *,
        adapter: str | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        self._backend = backend
        self._config = config
        self._adapter = adapter
        self._cancel = cancel or threading.Event()

    @property
    def name(self) -> str:
        """The model's, with its adapter."""
        return self._backend.name + (f"+{self._adapter}" if self._adapter else "")

    @property
    def attempts(self) -> int:
        """As configured."""
        return self._config.attempts

    def queries(self, tasks: Sequence[Task]) -> list[str]:
        """The model's phrases, cut down to one line each."""
        prompts = [query_prompt(task.target, task.language) for task in tasks]
        found = self._ask(prompts, [task.seed for task in tasks], _QUERY_TOKENS, stop=("\n",))
        return [parse_query(text) for text in found]

    def responses(self, tasks: Sequence[Task]) -> list[str]:
        """The model's explanations, each cut down to one paragraph; empty where it has none."""
        prompts = [response_prompt(task) for task in tasks]
        found = self._ask(prompts, [task.seed + 1 for task in tasks], self._config.max_tokens, stop=("\n\n",))
        return [explanation(text, task) for text, task in zip(found, tasks, strict=True)]

    def _ask(
        self, prompts: Sequence[Prompt], seeds: Sequence[int], max_tokens: int, stop: tuple[str, ...]
    ) -> list[str]:
        requests = [
            self._backend.fit(
                Request(
                    prompt=prompt,
                    sampling=Sampling(
                        temperature=self._config.temperature,
                        # The title stands shortly before the answer, and is to be repeated.
                        repeat_penalty=1.0,
                        max_tokens=max_tokens,
                        seed=seed % 2**32,
                        stop=stop,
                    ),
                    adapter=self._adapter,
                    priority=Priority.BACKGROUND,
                    cancel=self._cancel,
                )
            )
            for prompt, seed in zip(prompts, seeds, strict=True)
        ]
        done = self._backend.complete_many(requests)
        if self._cancel.is_set():
            raise KeyboardInterrupt
        return [c.text for c in done]
