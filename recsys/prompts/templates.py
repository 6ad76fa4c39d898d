"""Prompt templates as data: one TOML file a language beside this module, checked when it is read."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from string import Template
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from recsys.prompts.formats import Cues, Example

Situation = Literal["passive", "active"]
Form = Literal["direct", "listwise"]

_FOLDER = Path(__file__).with_name("templates")
_VARIABLES = {"many", "done", "target_one", "target_next", "candidates", "query"}


class MissingVariableError(KeyError):
    """A template asks for a variable that its situation and form do not have."""


def _checked(text: str) -> str:
    unknown = set(Template(text).get_identifiers()) - _VARIABLES
    if unknown or not Template(text).is_valid():
        raise ValueError(f"unknown or malformed variables {sorted(unknown)} in {text!r}")
    return text.strip()


TemplateText = Annotated[str, AfterValidator(_checked)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Wording(_Data):
    """How one domain is spoken of: its noun, and what a person does with it."""

    one: str
    many: str
    done: str
    next: str


class SituationTemplates(_Data):
    """The texts of one situation: system message, history's heading, and the task by form."""

    system: str
    history: TemplateText
    direct: TemplateText
    listwise: TemplateText


class _ExampleData(_Data):
    situation: Situation
    form: Form
    source: str
    target: str
    response: str
    history: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    query: str = ""


class LanguageTemplates(_Data):
    """All templates of one language."""

    language: str
    cues: Cues
    domains: dict[str, Wording]
    other: Wording
    passive: SituationTemplates
    active: SituationTemplates
    examples: tuple[_ExampleData, ...]

    def wording(self, domain: str) -> Wording:
        """The wording of `domain`, or the general one for a domain of the user's own."""
        return self.domains.get(domain, self.other)

    def situation(self, situation: Situation) -> SituationTemplates:
        """The texts of one situation."""
        return self.passive if situation == "passive" else self.active

    def heading(self, situation: Situation, source: str) -> str:
        """The line above a history of the domain `source`."""
        wording = self.wording(source)
        return _fill(self.situation(situation).history, many=wording.many, done=wording.done)

    def task(
        self, situation: Situation, form: Form, target: str, query: str, candidates: tuple[str, ...]
    ) -> str:
        """What the model is asked to do, after the history."""
        wording = self.wording(target)
        return _fill(
            getattr(self.situation(situation), form),
            target_one=wording.one,
            target_next=wording.next,
            query=query,
            candidates="\n".join(candidates),
        )

    def worked_examples(self, situation: Situation, form: Form) -> tuple[Example, ...]:
        """The examples that are shown to a base model before the real request."""
        return tuple(
            Example(self._example_instruction(e), e.response)
            for e in self.examples
            if (e.situation, e.form) == (situation, form)
        )

    def _example_instruction(self, example: _ExampleData) -> str:
        heading = self.heading(example.situation, example.source) if example.history else ""
        task = self.task(example.situation, example.form, example.target, example.query, example.candidates)
        return "\n".join(part for part in (heading, *example.history, task) if part)


def _fill(template: str, **values: str) -> str:
    try:
        return Template(template).substitute(values)
    except KeyError as error:
        raise MissingVariableError(f"{error.args[0]} in {template!r}") from error


@cache
def load_templates(language: str) -> LanguageTemplates:
    """The templates of `language` ("en" or "ko"); raises ValueError where a file is malformed."""
    data = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return LanguageTemplates.model_validate(data)
