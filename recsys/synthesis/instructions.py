"""The instruction of one example: a drawn phrasing around the history, the query and the candidates."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recsys.catalog import Item
from recsys.demos import DOMAINS
from recsys.prompts.build import item_line, one_line
from recsys.prompts.templates import Form, Situation, load_templates
from recsys.synthesis.filling import fill

_FOLDER = Path(__file__).with_name("data")
_ALLOWED = {
    "heading": {"many", "done"},
    "direct": {"target_one", "target_next", "query"},
    "listwise": {"target_one", "target_next", "query", "candidates"},
}
_AT_LEAST = 6


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Phrasing(_Data):
    """One way to put an instruction: what stands above the history, and the task below it."""

    heading: str = ""
    ask: str = Field(min_length=1)


class _Cell(_Data):
    direct: tuple[Phrasing, ...] = Field(min_length=_AT_LEAST)
    listwise: tuple[Phrasing, ...] = Field(min_length=_AT_LEAST)


class Instructions(_Data):
    """All phrasings of one language, and a system message per domain; checked when the file is read."""

    language: str
    systems: dict[str, str]
    passive: _Cell
    active: _Cell

    @model_validator(mode="after")
    def _check(self) -> Self:
        if missing := {*DOMAINS, "other"} - self.systems.keys():
            raise ValueError(f"no system message for {sorted(missing)}")
        for situation, cell in (("passive", self.passive), ("active", self.active)):
            for form in ("direct", "listwise"):
                for phrasing in getattr(cell, form):
                    _check_phrasing(phrasing, situation, form)
        return self

    def cell(self, situation: Situation, form: Form) -> tuple[Phrasing, ...]:
        """The phrasings for one situation and form."""
        cell = self.passive if situation == "passive" else self.active
        return cell.direct if form == "direct" else cell.listwise

    def system(self, domain: str) -> str:
        """The system message of a domain, the general one for a domain of the user's own."""
        return self.systems.get(domain, self.systems["other"])


@dataclass(frozen=True)
class Instruction:
    """What the model reads: the user's message is heading, lines and ask, one below the other."""

    system: str
    heading: str
    lines: tuple[str, ...]
    ask: str

    @property
    def text(self) -> str:
        """The user's message."""
        return "\n".join(part for part in (self.heading, *self.lines, self.ask) if part)


@cache
def load_instructions(language: str) -> Instructions:
    """The phrasings of `language` ("en" or "ko"); raises ValueError where the file is malformed."""
    data = tomllib.loads((_FOLDER / f"instructions.{language}.toml").read_text(encoding="utf-8"))
    return Instructions.model_validate(data)


def instruct(
    language: str,
    form: Form,
    phrasing: int,
    domain: str,
    *,
    source: str = "",
    history: Sequence[Item] = (),
    query: str = "",
    candidates: Sequence[Item] = (),
) -> Instruction:
    """The instruction in phrasing number `phrasing` of its cell: active with a query, else passive.

    `domain` is what is asked for, `source` what the history is of where that is something else.
    """
    texts, templates = load_instructions(language), load_templates(language)
    wording, before = templates.wording(domain), templates.wording(source or domain)
    chosen = texts.cell("active" if query else "passive", form)[phrasing]
    numbered = (f"{n}. {item_line(item, templates)}" for n, item in enumerate(candidates, 1))
    values = {
        "many": before.many,
        "done": before.done,
        "target_one": wording.one,
        "target_next": wording.next,
        "query": one_line(query),
        "candidates": "\n".join(numbered),
    }
    return Instruction(
        system=texts.system(domain if source in ("", domain) else "other"),
        heading=_put(chosen.heading, values),
        lines=tuple(f"- {item_line(item, templates)}" for item in history),
        ask=_put(chosen.ask, values).strip(),
    )


def _put(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables in place, and the articles and particles that go with them."""
    return fill(re.sub(r"\$([a-z_]+)", r"{\1}", text), values, sentences=False)


def _check_phrasing(phrasing: Phrasing, situation: str, form: str) -> None:
    texts = {"heading": phrasing.heading, form: phrasing.ask}
    for name, text in texts.items():
        template = Template(text)
        unknown = set(template.get_identifiers()) - _ALLOWED[name]
        if unknown or not template.is_valid():
            raise ValueError(f"unknown or malformed variables {sorted(unknown)} in {text!r}")
    needed = {"query"} if situation == "active" else set()
    needed |= {"candidates"} if form == "listwise" else set()
    found = set(Template(phrasing.ask).get_identifiers())
    if needed - found or (situation == "passive" and "query" in found):
        raise ValueError(f"a {situation} {form} task has the variables {sorted(found)}: {phrasing.ask!r}")
    if bool(phrasing.heading) != (situation == "passive"):
        raise ValueError(f"a heading belongs to passive phrasings: {phrasing.ask!r}")
