"""Who writes queries and responses: a grammar over what is known, or a language model."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from string import Template
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from recsys.catalog import Item
from recsys.llm.base import Backend, Priority, Request, Sampling
from recsys.prompts.build import item_line, one_line
from recsys.prompts.formats import Cues, Example, Prompt
from recsys.prompts.templates import Form, Situation, load_templates
from recsys.synthesis.config import ModelTeacherConfig
from recsys.synthesis.facts import Facts, genres_of, query_facts, quoted, shared_facts, target_facts
from recsys.synthesis.grammar import fill, load_grammar
from recsys.synthesis.queries import parse_query, query_prompt
from recsys.synthesis.words import load_words, number_word

_FOLDER = Path(__file__).with_name("data")
_QUERY_TOKENS = 32


@dataclass(frozen=True)
class Task:
    """One row as a teacher sees it: unlike the instruction, it holds the true target.

    `options` counts the candidates (0: direct); `seed` is the row's own, different in each attempt.
    """

    situation: Situation
    form: Form
    language: str
    domain: str
    history: tuple[Item, ...]
    target: Item
    options: int
    seed: int
    query: str = ""

    def again(self, attempt: int) -> Task:
        """The same row for another try."""
        return replace(self, seed=(self.seed + attempt * 7919) % 2**32)


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
        told = facts.values.keys() & grammar.values
        values = words.values() | facts.values
        start = "query" if told else "query_bare"
        return fill(grammar.pattern(start, values, draw, facts.tells), values, sentences=False)

    def _response(self, task: Task) -> str:
        facts = response_facts(task)
        return fill(response_pattern(task, facts), facts.values)


def response_facts(task: Task) -> Facts:
    """All that a response to the task may tell."""
    draw = Random(task.seed + 1)
    words = load_words(task.domain, task.language)
    facts = target_facts(task.target, words, draw, task.query)
    if task.situation == "active":
        more = query_facts(facts, task.query, task.language, draw)
    else:
        more = shared_facts(task.history, task.target, words, draw)
        if facts.tells.get("t_thing", frozenset(["?"])) <= genres_of(task.history):
            facts.add("again_thing", facts.values["t_thing"], facts.tells["t_thing"])
    facts.values |= words.values() | more.values
    facts.tells |= more.tells
    facts.add("target", quoted(task.target.title_in(task.language), task.language))
    if task.form == "listwise":
        facts.add("options", number_word(task.options, task.language))
    return facts


def response_pattern(task: Task, facts: Facts) -> str:
    """A response with `{name}` where values go."""
    if task.situation == "active":
        told = facts.values.keys() & {"t_thing", "t_genres", "t_maker", "t_topics"}
        kind = "told" if told else "bare"
    else:
        kind = next((kind for kind in ("near", "far") if kind in facts.values), "bare")
    grammar = load_grammar(_FOLDER / f"answer.{task.language}.toml", task.domain)
    start = f"{task.situation}_{task.form}_{kind}"
    return grammar.pattern(start, facts.values, Random(task.seed + 2), facts.tells)


class _TeacherExample(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    situation: Situation
    instruction: str
    response: str


class _TeacherTexts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str
    lead: str
    passive: str
    active: str
    examples: tuple[_TeacherExample, ...]


@cache
def _texts(language: str) -> _TeacherTexts:
    data = tomllib.loads((_FOLDER / f"teacher.{language}.toml").read_text(encoding="utf-8"))
    return _TeacherTexts.model_validate(data)


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
        """The model's paragraphs."""
        prompts = [response_prompt(task) for task in tasks]
        found = self._ask(prompts, [task.seed + 1 for task in tasks], self._config.max_tokens, stop=("\n\n",))
        return [" ".join(text.split()) for text in found]

    def _ask(
        self, prompts: Sequence[Prompt], seeds: Sequence[int], max_tokens: int, stop: tuple[str, ...]
    ) -> list[str]:
        requests = [
            self._backend.fit(
                Request(
                    prompt=prompt,
                    sampling=Sampling(
                        temperature=self._config.temperature,
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
        return [c.text if c.finish == "stop" else "" for c in done]


def response_prompt(task: Task) -> Prompt:
    """What a model is told to write a response: history or query, and the true target."""
    templates, texts = load_templates(task.language), _texts(task.language)
    wording = templates.wording(task.domain)
    text = task.target.text
    values = {
        "done": wording.done,
        "many": wording.many,
        "history": "\n".join(f"- {item_line(item, templates)}" for item in task.history),
        "query": one_line(task.query),
        "target": item_line(task.target, templates),
        "about": one_line(text) if text else "",
    }
    pattern = texts.active if task.situation == "active" else texts.passive
    examples = (e for e in texts.examples if e.situation == task.situation)
    return Prompt(
        system=texts.system,
        before="",
        after=Template(pattern).substitute(values).strip(),
        examples=tuple(Example(e.instruction, e.response) for e in examples),
        cues=Cues(request=templates.cues.request, answer=templates.cues.answer, lead=texts.lead),
        language=task.language,
        always_examples=True,
    )
