"""Prompts out of a JSON Lines file: those that a synthesis job holds out, or anybody's own.

A line may bring its five candidates, and with `best` or `worst` (0 to 4) it is a gold prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from annotation.errors import PromptsFileError
from annotation.records import CANDIDATES, CandidateRecord, ImportedPrompt, PromptRecord
from recsys.demos import LANGUAGES
from recsys.prompts.build import language_of
from recsys.prompts.templates import Form, Situation
from recsys.synthesis.quality import folded

_LONGEST_CHARS = 20_000


class _CandidateLine(BaseModel):
    """Where only the text is known, a string will do."""

    model_config = ConfigDict(extra="ignore")

    text: str = Field(max_length=_LONGEST_CHARS)
    model: str = ""
    adapter: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: object) -> object:
        return {"text": data} if isinstance(data, str) else data


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
    candidates: tuple[_CandidateLine, ...] = ()
    best: int | None = Field(default=None, ge=0, lt=CANDIDATES)
    worst: int | None = Field(default=None, ge=0, lt=CANDIDATES)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not (self.instruction.strip() or self.ask.strip()):
            raise ValueError("it has neither an instruction nor an ask")
        if self.language and self.language not in LANGUAGES:
            raise ValueError(f"the language is {self.language!r}, not one of {', '.join(LANGUAGES)}")
        if self.candidates and len(self.candidates) != CANDIDATES:
            raise ValueError(f"it has {len(self.candidates)} candidates, not {CANDIDATES}")
        if (self.best is not None or self.worst is not None) and not self.candidates:
            raise ValueError("a known best or worst needs the candidates")
        if self.best is not None and self.best == self.worst:
            raise ValueError("the same candidate is best and worst")
        return self

    def imported(self, origin: str) -> ImportedPrompt:
        candidates = tuple(
            CandidateRecord(
                text=line.text.strip(),
                model=line.model or origin,
                adapter=line.adapter,
                seed=0,
                sampling="{}",
                tokens=0,
                finish="stop",
            )
            for line in self.candidates
        )
        return ImportedPrompt(self._record(origin), candidates, self.best, self.worst)

    def _record(self, origin: str) -> PromptRecord:
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


def read_prompts(path: Path) -> Iterator[ImportedPrompt]:
    """The prompts of a JSON Lines file with `instruction` (and `system`, `candidates`, ...) on each line.

    Raises PromptsFileError with the first bad line, before anything of it is stored.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptsFileError(file=path.name, problem=f"it cannot be read ({error})") from error
    prompts = [_read(line, number, path) for number, line in enumerate(lines, 1) if line.strip()]
    if not prompts:
        raise PromptsFileError(file=path.name, problem="it has no lines")
    return iter(prompts)


def _read(line: str, number: int, path: Path) -> ImportedPrompt:
    try:
        return _PromptLine.model_validate(json.loads(line)).imported(f"file:{path.name}")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"line {number}{f', {where}' if where else ''}: {first['msg']}"
        raise PromptsFileError(file=path.name, problem=problem) from error
    except (ValueError, RecursionError) as error:
        raise PromptsFileError(file=path.name, problem=f"line {number} is not JSON") from error


def read_instructions(path: Path) -> frozenset[str]:
    """The folded instructions of a file of prompts or of `messages`: what must not be trained on.

    Of a conversation it is the first user message. Raises PromptsFileError.
    """
    found = set()
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptsFileError(file=path.name, problem=f"it cannot be read ({error})") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.add(folded(_InstructionLine.model_validate_json(line).text()))
            except ValidationError as error:
                problem = f"line {number} has neither an instruction nor messages"
                raise PromptsFileError(file=path.name, problem=problem) from error
    return frozenset(found)


class _Message(BaseModel):
    role: str
    content: str


class _InstructionLine(BaseModel):
    model_config = ConfigDict(extra="ignore")

    instruction: str = ""
    messages: tuple[_Message, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.text():
            raise ValueError("nothing to compare")
        return self

    def text(self) -> str:
        asked = [message.content for message in self.messages if message.role == "user"]
        return self.instruction or (asked[0] if asked else "")
