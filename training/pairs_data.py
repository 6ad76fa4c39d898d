"""Preference rows as they are exported, checked, and turned into the texts that the model trains on.

Prompts are rendered by `recsys.prompts.formats.PromptFormat`, exactly as they are when the model
is asked, so that what is trained is what is used.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsys.prompts.formats import Prompt, PromptFormat
from recsys.prompts.templates import Form, Situation, load_templates
from training.errors import NotEnoughPairsError, PairsFileError

MIN_PAIRS = 2

IDENTICAL = "chosen and rejected are the same"
EMPTY = "prompt or answer is empty"
LONG_PROMPT = "prompt alone fills max_length"


class _Message(BaseModel):
    role: Literal["system", "user", "assistant"]
    content: str


class PairRow(BaseModel):
    """One row in TRL's conversational preference format; other columns are ignored.

    `situation` and `form` choose the worked examples that a base model is shown.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: list[_Message] = Field(min_length=1, max_length=2)
    chosen: list[_Message] = Field(min_length=1, max_length=1)
    rejected: list[_Message] = Field(min_length=1, max_length=1)
    language: Literal["en", "ko"] = "en"
    situation: Situation = "passive"
    form: Form = "direct"

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


@dataclass(frozen=True)
class PreparedPairs:
    """What a run trains on. `truncated` pairs have an answer that is cut at `max_length`."""

    train: tuple[TextPair, ...]
    held_out: tuple[TextPair, ...]
    dropped: dict[str, int]
    truncated: int


def read_pairs(path: Path) -> list[PairRow]:
    """The rows of a JSON Lines file; raises PairsFileError with the line, also when it is missing."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PairsFileError(source=path.name, line=1, problem=f"it cannot be read ({error})") from error
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(_row(json.loads(line), path.name, number))
        except json.JSONDecodeError as error:
            problem = f"it is not JSON ({error.msg})"
            raise PairsFileError(source=path.name, line=number, problem=problem) from error
    return rows


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
    examples = load_templates(row.language).worked_examples(row.situation, row.form)
    prompt = Prompt(system=row.system, before=row.instruction, examples=examples, language=row.language)
    chosen, rejected = row.answers
    return TextPair(prompt_format.render(prompt), chosen, rejected)


def prepare_pairs(
    rows: Sequence[PairRow],
    prompt_format: PromptFormat,
    count_tokens: Callable[[str], int],
    *,
    max_length: int,
    held_out: float,
    seed: int,
) -> PreparedPairs:
    """Drop, render, measure and split.

    `count_tokens` counts a text's tokens with the begin token where the model has one. TRL drops
    a pair silently when its prompt has `max_length` tokens or more, and cuts longer answers; both
    are counted here first. Raises NotEnoughPairsError.
    """
    usable, dropped = usable_pairs(rows)
    pairs, truncated = [], 0
    for pair in (render_pair(row, prompt_format) for row in usable):
        if count_tokens(pair.prompt) >= max_length:
            dropped[LONG_PROMPT] = dropped.get(LONG_PROMPT, 0) + 1
            continue
        pairs.append(pair)
        longest = max(count_tokens(pair.prompt + answer) for answer in (pair.chosen, pair.rejected))
        truncated += longest + 1 > max_length  # one more for the end token
    _check_count(len(pairs), dropped)
    train, aside = split_by_prompt(pairs, held_out, seed)
    return PreparedPairs(tuple(train), tuple(aside), dropped, truncated)


def split_by_prompt(
    pairs: Sequence[TextPair], held_out: float, seed: int
) -> tuple[list[TextPair], list[TextPair]]:
    """Training and held-out pairs; all pairs of one prompt fall on the same side.

    Prompts are ordered by a hash, not shuffled, so a prompt tends to keep its side as more are
    judged. At least one prompt is left to train on.
    """

    def rank(prompt: str) -> str:
        return hashlib.sha256(f"{seed}\n{prompt}".encode()).hexdigest()

    prompts = sorted({pair.prompt for pair in pairs}, key=rank)
    aside = set(prompts[: min(round(held_out * len(prompts)), len(prompts) - 1)])
    train = [pair for pair in pairs if pair.prompt not in aside]
    return train, [pair for pair in pairs if pair.prompt in aside]


def _check_count(found: int, dropped: Mapping[str, int]) -> None:
    if found < MIN_PAIRS:
        reasons = ", ".join(f"{count} dropped because {reason}" for reason, count in dropped.items())
        phrase = f" ({reasons})" if reasons else ""
        raise NotEnoughPairsError(found=found, needed=MIN_PAIRS, dropped=phrase)
