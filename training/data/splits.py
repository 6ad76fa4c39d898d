"""Which rows are trained on and which are kept aside, decided by prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class HasPrompt(Protocol):
    """A rendered row."""

    @property
    def prompt(self) -> str:
        """The text that the model continues."""


MOST_HELD_OUT = 500
"""Prompts that are kept aside at most: a tenth of half a million would be measured for hours each
time, and of 500 a share is known to within 0.044 already."""

T = TypeVar("T", bound=HasPrompt)


@dataclass(frozen=True)
class Prepared(Generic[T]):
    """What a run trains on: rendered rows, how many were dropped by reason, and how many of those
    that are left have an answer that is cut at `max_length`."""

    train: tuple[T, ...]
    held_out: tuple[T, ...]
    dropped: dict[str, int]
    truncated: int


def split_by_prompt(rows: Sequence[T], held_out: float, seed: int) -> tuple[list[T], list[T]]:
    """Training and held-out rows; all rows of one prompt fall on the same side.

    Prompts are ordered by a hash, not shuffled, so a prompt tends to keep its side as more rows
    come. At most `MOST_HELD_OUT` prompts are kept aside, and at least one is left to train on.
    """

    def rank(prompt: str) -> str:
        return hashlib.sha256(f"{seed}\n{prompt}".encode()).hexdigest()

    prompts = sorted({row.prompt for row in rows}, key=rank)
    aside = set(prompts[: min(round(held_out * len(prompts)), len(prompts) - 1, MOST_HELD_OUT)])
    train = [row for row in rows if row.prompt not in aside]
    return train, [row for row in rows if row.prompt in aside]
