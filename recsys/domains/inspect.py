"""What is in a dataset: counts, period, and what could not be used and why."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel

from recsys.domains.base import Dataset


class Inspection(BaseModel):
    """`untitled`: items of interactions that have no title; `period`: first and last time, ISO 8601."""

    dataset: str
    edition: str
    users: int
    items: int
    interactions: int
    positives: int
    with_time: int
    untitled: int
    period: tuple[str, str] | None
    dropped: dict[str, int]
    notes: list[str]


def inspect(dataset: Dataset) -> Inspection:
    """Read everything once. `items` counts those with a title."""
    titled = {item.id for item in dataset.items()}
    users: set[str] = set()
    untitled: set[str] = set()
    interactions = positives = with_time = 0
    first, last = float("inf"), float("-inf")
    for interaction in dataset.interactions():
        interactions += 1
        users.add(interaction.user)
        if interaction.item not in titled:
            untitled.add(interaction.item)
        positives += dataset.is_positive(interaction)
        if interaction.time is not None:
            with_time += 1
            first, last = min(first, interaction.time), max(last, interaction.time)
    return Inspection(
        dataset=dataset.name,
        edition=dataset.edition,
        users=len(users),
        items=len(titled),
        interactions=interactions,
        positives=positives,
        with_time=with_time,
        untitled=len(untitled),
        period=(_iso(first), _iso(last)) if with_time else None,
        dropped=dict(dataset.dropped),
        notes=list(dict.fromkeys(dataset.source.notes)),
    )


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
