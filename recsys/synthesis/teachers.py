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
from recsys.synthesis.facts import number_word, shared_values, target_values
from recsys.synthesis.grammar import load_grammar
from recsys.synthesis.queries import parse_query, query_prompt

_FOLDER = Path(__file__).with_name("data")
_QUERY_TOKENS = 32


@dataclass(frozen=True)
class Task:
    """One row as a teacher sees it: unlike the instruction, it holds the true target.

    `options` counts the candidates (0: direct); `shared` and `topics` are words that the target's text
    has in common with the history's, and of its own; `seed` is the row's own, different in each
    attempt.
    """

    situation: Situation
    form: Form
    language: str
    domain: str
    history: tuple[Item, ...]
    target: Item
    options: int
    shared: tuple[str, ...]
    topics: tuple[str, ...]
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
        values = self._wording(task) | target_values(task.target, task.topics, task.language)
        grammar = load_grammar(_FOLDER / f"query.{task.language}.toml")
        text = grammar.write("query", _some(values, draw), draw)
        return text[:1].lower() + text[1:]

    def _response(self, task: Task) -> str:
        draw = Random(task.seed + 1)
        values = self._wording(task) | target_values(task.target, task.topics, task.language)
        values["target"] = task.target.title_in(task.language)
        if task.situation == "active":
            values["query"] = task.query
        else:
            shared, order = shared_values(task.history, task.target, task.shared, task.language)
            titles = [one_line(item.title_in(task.language)) for item in order]
            named = zip(("title_a", "title_b", "title_c"), titles, strict=False)
            values |= shared | dict(named) | {"last": one_line(task.history[-1].title_in(task.language))}
            values["n"] = number_word(len(task.history), task.language, counting=True)
        if task.form == "listwise":
            values["options"] = number_word(task.options, task.language)
        grammar = load_grammar(_FOLDER / f"answer.{task.language}.toml")
        return grammar.write(f"{task.situation}_{task.form}", _some(values, draw), draw)

    @staticmethod
    def _wording(task: Task) -> dict[str, str]:
        wording = load_templates(task.language).wording(task.domain)
        return {"one": wording.one, "many": wording.many, "done": wording.done, "next": wording.next}


_OPTIONAL = (
    "genres", "maker", "topics", "period", "place", "price", "kind_of", "share", "t_genres", "t_maker",
    "t_topics", "t_period", "t_place", "t_price", "t_kind_of", "t_phrase",
)  # fmt: skip


def _some(values: dict[str, str], draw: Random) -> dict[str, str]:
    """The values with some optional ones left unsaid, so that rows with the same facts differ."""
    return {name: v for name, v in values.items() if name not in _OPTIONAL or draw.random() < 0.75}


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
