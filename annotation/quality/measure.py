"""What a measure says: a value with the number it rests on, or that there is too little to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from annotation.snapshot import RatedPrompt, Rating, Snapshot

Unit = Literal["alpha", "share", "p", "seconds", "rate", "score"]


@dataclass(frozen=True, slots=True)
class Part:
    """The measure for one annotator, pair of annotators, position or model. `value` is None for too few."""

    name: str
    value: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure. Its texts are `quality_KEY`, `quality_KEY_means` and `quality_of_COUNTED`.

    `n` is how many `counted` it rests on; under `enough` there is no `value`. A value may also be
    missing although there are enough, where everybody did the same (`value` would be 0 / 0).
    """

    key: str
    unit: Unit
    value: float | None
    n: int
    enough: int
    counted: Literal["prompts", "pairs", "tags", "judgements", "models"]
    parts: tuple[Part, ...] = ()

    @property
    def too_few(self) -> bool:
        """Whether there is too little to give a value."""
        return self.n < self.enough


def ordinary(snapshot: Snapshot) -> list[RatedPrompt]:
    """The prompts that measures of agreement are about: neither gold nor repeated nor flagged."""
    return [p for p in snapshot.prompts if p.gold is None and p.repeat_of is None and not p.flags]


def tags(prompt: RatedPrompt, rating: Rating) -> tuple[int, int]:
    """Sampling positions of the best and the worst."""
    return prompt.position(rating.judgement.best), prompt.position(rating.judgement.worst)


def share(hits: Sequence[bool], enough: int = 1) -> float | None:
    """The share that is true; None for fewer than `enough`."""
    return sum(hits) / len(hits) if len(hits) >= max(enough, 1) else None
