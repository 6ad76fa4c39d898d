"""Preference rows as they are exported, checked, and turned into the texts that the model trains on.

Prompts are rendered by `recsys.prompts.formats.PromptFormat`, exactly as they are when the model
is asked, so that what is trained is what is used.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsys.prompts.formats import Prompt, PromptFormat
from recsys.prompts.templates import Form, Situation, load_templates
from training.data.instructions import EMPTY, LONG_PROMPT, Tokens
from training.data.pair_checks import (
    CUT_OFF,
    IDENTICAL,
    NEARLY_IDENTICAL,
    REPEATING,
    Finish,
    alike,
    is_cut_off,
    repeats,
)
from training.data.rows_file import read_rows
from training.data.splits import Prepared, split_by_prompt
from training.errors import NotEnoughPairsError, PairsFileError

MIN_PAIRS = 2


class _Message(BaseModel):
    role: Literal["system", "user", "assistant"]
    content: str


class PairRow(BaseModel):
    """One row in TRL's conversational preference format; other columns are ignored.

    `situation` and `form` choose the worked examples that a base model is shown; `chosen_finish` and
    `rejected_finish` tell, where it is known, why the answer ended.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: list[_Message] = Field(min_length=1, max_length=2)
    chosen: list[_Message] = Field(min_length=1, max_length=1)
    rejected: list[_Message] = Field(min_length=1, max_length=1)
    language: Literal["en", "ko"] = "en"
    situation: Situation = "passive"
    form: Form = "direct"
    chosen_finish: Finish | None = None
    rejected_finish: Finish | None = None

    @property
    def system(self) -> str:
        """The system message, or an empty string."""
        return self.prompt[0].content if self.prompt[0].role == "system" else ""

    @property
    def instruction(self) -> str:
        """The user's message, or an empty string."""
        return self.prompt[-1].content if self.prompt[-1].role == "user" else ""

    @property
    def answers(self) -> tuple[str, str]:
        """Chosen and rejected text, without white space at their ends."""
        return self.chosen[0].content.strip(), self.rejected[0].content.strip()


@dataclass(frozen=True, slots=True)
class TextPair:
    """One pair as text; `prompt` is without the begin token, the answers without the end token."""

    prompt: str
    chosen: str
    rejected: str


def read_pairs(path: Path) -> list[PairRow]:
    """The rows of a JSON Lines or Parquet file; raises PairsFileError with the line, also when it is
    missing."""
    return [_row(data, path.name, number) for number, data in read_rows(path, PairsFileError)]


def parse_pairs(rows: Iterable[Mapping[str, object]]) -> list[PairRow]:
    """The same from rows in memory."""
    return [_row(row, "pairs", number) for number, row in enumerate(rows, 1)]


def _row(data: object, source: str, number: int) -> PairRow:
    try:
        return PairRow.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "row"
        problem = f"{place}: {first['msg']}"
        raise PairsFileError(source=source, line=number, problem=problem) from error


def usable_pairs(rows: Sequence[PairRow]) -> tuple[list[PairRow], dict[str, int]]:
    """The rows that say something, and how many were dropped by reason.

    Raises NotEnoughPairsError when fewer than two are left.
    """
    usable, dropped = [], Counter[str]()
    for row in rows:
        chosen, rejected = row.answers
        if not (chosen and rejected and row.instruction.strip()):
            dropped[EMPTY] += 1
        elif chosen == rejected:
            dropped[IDENTICAL] += 1
        else:
            usable.append(row)
    _check_count(len(usable), dropped)
    return usable, dict(dropped)


def render_pair(row: PairRow, prompt_format: PromptFormat) -> TextPair:
    """`row` as the texts that the model reads and writes."""
    templates = load_templates(row.language)
    prompt = Prompt(
        system=row.system,
        before=row.instruction,
        cues=templates.cues,
        examples=templates.worked_examples(row.situation, row.form),
        language=row.language,
    )
    chosen, rejected = row.answers
    return TextPair(prompt_format.render(prompt), chosen, rejected)


def prepare_pairs(
    rows: Sequence[PairRow],
    prompt_format: PromptFormat,
    tokens: Tokens,
    *,
    max_length: int,
    held_out: float,
    seed: int,
    near_identical: float = 1.0,
    max_score: float = math.inf,
) -> Prepared[TextPair]:
    """Drop, render, measure and split.

    Left out are pairs whose answers are alike (`near_identical`, 0 to 1) or of which one is cut off
    or repeats itself (a quality score of `max_score` or more): they teach noise. TRL drops a pair
    silently when its prompt has `max_length` tokens or more, and cuts longer answers; both are
    counted here first. Raises NotEnoughPairsError.
    """
    usable, counts = usable_pairs(rows)
    dropped = Counter(counts)
    pairs, truncated = [], 0
    for row in usable:
        pair = render_pair(row, prompt_format)
        prompt, chosen, rejected = tokens([pair.prompt, pair.chosen, pair.rejected])
        reason = _problem(row, (chosen, rejected), near_identical, max_score)
        if reason is None and len(prompt) >= max_length:
            reason = LONG_PROMPT
        if reason is not None:
            dropped[reason] += 1
            continue
        pairs.append(pair)
        wholes = tokens([pair.prompt + pair.chosen, pair.prompt + pair.rejected])
        truncated += max(map(len, wholes)) + 1 > max_length  # one more for the end token
    _check_count(len(pairs), dropped)
    train, aside = split_by_prompt(pairs, held_out, seed)
    return Prepared(tuple(train), tuple(aside), dict(dropped), truncated)


def _problem(
    row: PairRow, answers: tuple[list[int], list[int]], near_identical: float, max_score: float
) -> str | None:
    """Why the pair is left out, or None; `answers` are the token ids of chosen and rejected."""
    if alike(*row.answers) >= near_identical:
        return NEARLY_IDENTICAL
    finishes = (row.chosen_finish, row.rejected_finish)
    for text, ids, finish in zip(row.answers, answers, finishes, strict=True):
        if is_cut_off(text, len(ids), finish):
            return CUT_OFF
        if repeats(ids, max_score):
            return REPEATING
    return None


def _check_count(found: int, dropped: Mapping[str, int]) -> None:
    if found < MIN_PAIRS:
        reasons = ", ".join(f"{count} dropped because {reason}" for reason, count in dropped.items())
        phrase = f" ({reasons})" if reasons else ""
        raise NotEnoughPairsError(found=found, needed=MIN_PAIRS, dropped=phrase)
