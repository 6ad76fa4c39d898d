"""Instruction rows, checked and turned into the texts that the model learns from in SFT.

Taken are rows with `messages` (system, user, assistant), as `python -m recsys synthesize` writes
them, and TRL's prompt-completion rows, whose prompt and completion are texts or messages. Prompts
are rendered by `PromptFormat`, exactly as they are when the model is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from recsys.prompts.build import language_of
from recsys.prompts.formats import Prompt, PromptFormat
from recsys.prompts.templates import load_templates
from training.data.rows_file import read_rows
from training.data.splits import Prepared, split_by_prompt
from training.errors import InstructionFileError, NotEnoughRowsError

MIN_ROWS = 2

EMPTY = "prompt or answer is empty"
LONG_PROMPT = "prompt alone fills max_length"

Tokens = Callable[[Sequence[str]], list[list[int]]]
"""Token ids of each text, with the begin token where the model has one."""

_BATCH = 1_000


class _Message(BaseModel):
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class InstructionRow:
    """One instruction and its answer, without white space around the answer.

    `language` chooses the words around the parts for a model without a chat template.
    """

    system: str
    instruction: str
    answer: str
    language: Literal["en", "ko"]


class _Columns(BaseModel):
    """A row as it is in the file; other columns are ignored."""

    model_config = ConfigDict(extra="ignore")

    messages: list[_Message] = []
    prompt: str | list[_Message] = ""
    completion: str | list[_Message] = ""
    language: str = ""

    @property
    def turns(self) -> list[_Message]:
        return self.messages or _turns("user", self.prompt) + _turns("assistant", self.completion)

    @model_validator(mode="after")
    def _known_form(self) -> Self:
        if not (self.messages or self.prompt or self.completion):
            raise ValueError("it has neither messages nor prompt and completion")
        if [turn.role for turn in self.turns if turn.role != "system"] != ["user", "assistant"]:
            raise ValueError("its messages are not system (may be left out), user and assistant")
        return self


def _turns(role: Literal["user", "assistant"], part: str | list[_Message]) -> list[_Message]:
    return [_Message(role=role, content=part)] if isinstance(part, str) else part


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row as text; `prompt` is without the begin token, `answer` without the end token."""

    prompt: str
    answer: str


def read_instructions(path: Path) -> Iterator[InstructionRow]:
    """The rows of a JSON Lines or Parquet file, one after another; raises InstructionFileError."""
    for number, data in read_rows(path, InstructionFileError):
        yield _row(data, path.name, number)


def parse_instructions(rows: Iterable[Mapping[str, object]]) -> list[InstructionRow]:
    """The same from rows in memory."""
    return [_row(row, "rows", number) for number, row in enumerate(rows, 1)]


def check_instructions(rows: Iterable[InstructionRow], at_most: int = 1_000) -> None:
    """Read the beginning of the rows, so that wrong ones are refused before a run is made.

    Raises InstructionFileError and NotEnoughRowsError.
    """
    usable = (row for row in islice(rows, at_most) if row.answer and row.instruction.strip())
    _check_count(sum(1 for _ in usable), {})


def render_row(row: InstructionRow, prompt_format: PromptFormat) -> TextRow:
    """`row` as the texts that the model reads and writes; worked examples are never shown."""
    cues = load_templates(row.language).cues
    prompt = Prompt(system=row.system, before=row.instruction, cues=cues, language=row.language)
    return TextRow(prompt_format.render(prompt), row.answer)


def prepare_instructions(
    rows: Iterable[InstructionRow],
    prompt_format: PromptFormat,
    tokens: Tokens,
    *,
    max_length: int,
    held_out: float,
    seed: int,
) -> Prepared[TextRow]:
    """Drop, render, measure and split.

    TRL drops a row silently when its prompt has `max_length` tokens or more, and cuts longer
    answers; both are counted here first. Raises NotEnoughRowsError.
    """
    dropped = Counter[str]()
    texts: list[TextRow] = []
    truncated = 0
    stream = iter(rows)
    while batch := list(islice(stream, _BATCH)):
        filled = [row for row in batch if row.answer and row.instruction.strip()]
        dropped[EMPTY] += len(batch) - len(filled)
        rendered = [render_row(row, prompt_format) for row in filled]
        prompts = tokens([row.prompt for row in rendered]) if rendered else []
        wholes = tokens([row.prompt + row.answer for row in rendered]) if rendered else []
        for row, prompt, whole in zip(rendered, prompts, wholes, strict=True):
            if len(prompt) >= max_length:
                dropped[LONG_PROMPT] += 1
                continue
            texts.append(row)
            truncated += len(whole) + 1 > max_length  # one more for the end token
    reasons = {reason: count for reason, count in dropped.items() if count}
    _check_count(len(texts), reasons)
    train, aside = split_by_prompt(texts, held_out, seed)
    return Prepared(tuple(train), tuple(aside), reasons, truncated)


def _row(data: object, source: str, number: int) -> InstructionRow:
    try:
        columns = _Columns.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "row"
        problem = f"{place}: {first['msg']}"
        raise InstructionFileError(source=source, line=number, problem=problem) from error
    content = {turn.role: turn.content for turn in columns.turns}
    instruction = content["user"]
    language = columns.language if columns.language in ("en", "ko") else language_of(instruction)
    return InstructionRow(
        system=content.get("system", ""),
        instruction=instruction,
        answer=content["assistant"].strip(),
        language="ko" if language == "ko" else "en",
    )


def _check_count(found: int, dropped: Mapping[str, int]) -> None:
    if found < MIN_ROWS:
        reasons = ", ".join(f"{count} dropped because {reason}" for reason, count in dropped.items())
        raise NotEnoughRowsError(found=found, needed=MIN_ROWS, dropped=f" ({reasons})" if reasons else "")
