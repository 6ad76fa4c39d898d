"""What is kept of a recommendation once somebody has rated something of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from recsys.catalog import History
from recsys.prompts.build import build_prompt
from recsys.recommendation import Recommendation

Value = Literal[-1, 0, 1]
"""Thumbs down, taken back, thumbs up."""

ANSWER = ""
"""In place of an item's id: the rating is of the answer."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HistoryItem(_Record):
    """One item of the history; `catalog` is empty where it was typed and is in none."""

    catalog: str
    id: str
    title: str


class ShownItem(_Record):
    """One recommended item; `title` in the language of the prompt, `score` the centred cosine."""

    id: str
    title: str
    score: float


class Shown(_Record):
    """A recommendation as somebody saw it, its items best first.

    `system` and `instruction` are the prompt that was answered ("" without a model); `choice_system` and
    `choice_instruction` ask the same person's question as a choice among the items that were shown.
    """

    id: str
    created: str
    catalog: str
    model: str
    language: str
    query: str
    history: tuple[HistoryItem, ...]
    answer: str
    system: str
    instruction: str
    choice_system: str
    choice_instruction: str
    items: tuple[ShownItem, ...]

    def rank(self, item: str) -> int:
        """The place of an item, from 1; 0 for the answer."""
        return 1 + [shown.id for shown in self.items].index(item) if item != ANSWER else 0


class Rating(_Record):
    """One row: `item` is an id, or "" for the answer; `rank` its place, 0 for the answer."""

    id: int
    created: str
    shown: str
    item: str
    rank: int
    value: Value
    person: str


def shown(recommendation: Recommendation) -> Shown:
    """What is kept of a finished recommendation."""
    asked = recommendation.asked
    if asked is None or not recommendation.done:
        raise ValueError("only a finished recommendation can be kept")
    items = [found.item for found in recommendation.items]
    history = tuple(item for _, item in asked.history)
    choice = build_prompt(
        History(history, query=asked.query),
        target=asked.domain,
        language=asked.language,
        candidates=items,
    )
    return Shown(
        id=recommendation.id,
        created=now(),
        catalog=asked.catalog,
        model=asked.model,
        language=asked.language,
        query=asked.query,
        history=tuple(HistoryItem(catalog=c, id=item.id, title=item.title) for c, item in asked.history),
        answer=recommendation.answer,
        system=asked.system,
        instruction=asked.instruction,
        choice_system=choice.system,
        choice_instruction=choice.instruction,
        items=tuple(
            ShownItem(
                id=found.item.id, title=found.item.title_in(asked.language), score=round(found.score, 4)
            )
            for found in recommendation.items
        ),
    )


def now() -> str:
    """The time in UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
