"""Prompts out of a JSON Lines file: those that a synthesis job holds out, or anybody's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from annotation.errors import PromptsFileError
from annotation.records import PromptRecord
from recsys.demos import LANGUAGES
from recsys.prompts.build import language_of
from recsys.prompts.templates import Form, Situation

_LONGEST_CHARS = 20_000


class _PromptLine(BaseModel):
    """`instruction` alone will do; with `ask`, the instruction is heading, history and ask."""

    model_config = ConfigDict(extra="ignore")

    system: str = Field(default="", max_length=_LONGEST_CHARS)
    instruction: str = Field(default="", max_length=_LONGEST_CHARS)
    heading: str = ""
    history: tuple[str, ...] = ()
    ask: str = ""
    query: str = ""
    situation: Situation = "passive"
    form: Form = "direct"
    language: str = ""
    source_domain: str = ""
    target_domain: str = ""
    history_items: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not (self.instruction.strip() or self.ask.strip()):
            raise ValueError("it has neither an instruction nor an ask")
        if self.language and self.language not in LANGUAGES:
            raise ValueError(f"the language is {self.language!r}, not one of {', '.join(LANGUAGES)}")
        return self

    def record(self, origin: str) -> PromptRecord:
        ask = self.ask or self.instruction
        return PromptRecord(
            situation=self.situation,
            form=self.form,
            language=self.language or language_of(self.instruction or ask),
            source_domain=self.source_domain,
            target_domain=self.target_domain,
            system=self.system,
            heading=self.heading if self.ask else "",
            history=self.history if self.ask else (),
            ask=ask,
            query=self.query,
            history_items=self.history_items,
            options=self.options,
            origin=origin,
        )


def read_prompts(path: Path) -> Iterator[PromptRecord]:
    """The prompts of a JSON Lines file with `instruction` (and `system`, `language`, ...) on each line.

    Raises PromptsFileError with the first bad line, before anything of it is stored.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptsFileError(file=path.name, problem=f"it cannot be read ({error})") from error
    records = [_record(line, number, path) for number, line in enumerate(lines, 1) if line.strip()]
    if not records:
        raise PromptsFileError(file=path.name, problem="it has no lines")
    return iter(records)


def _record(line: str, number: int, path: Path) -> PromptRecord:
    try:
        return _PromptLine.model_validate(json.loads(line)).record(f"file:{path.name}")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"line {number}{f', {where}' if where else ''}: {first['msg']}"
        raise PromptsFileError(file=path.name, problem=problem) from error
    except (ValueError, RecursionError) as error:
        raise PromptsFileError(file=path.name, problem=f"line {number} is not JSON") from error
