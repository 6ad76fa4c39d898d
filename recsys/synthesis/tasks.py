"""What a teacher is asked: one row with its true target."""

from __future__ import annotations

from dataclasses import dataclass, replace

from recsys.catalog import Item
from recsys.prompts.templates import Form, Situation


@dataclass(frozen=True)
class Task:
    """One row as a teacher sees it: unlike the instruction, it holds the true target.

    `options` counts the candidates (0: direct); `seed` is the row's own, different in each attempt.
    `domain` is the target's, `source` the history's where that is of another one or of several ("other").
    """

    situation: Situation
    form: Form
    language: str
    domain: str
    history: tuple[Item, ...]
    target: Item
    options: int
    seed: int
    query: str = ""
    source: str = ""

    @property
    def spoken_of(self) -> str:
        """The domain in whose words a response speaks of history and target alike."""
        return self.domain if self.source in ("", self.domain) else "other"

    def again(self, attempt: int) -> Task:
        """The same row for another try."""
        return replace(self, seed=(self.seed + attempt * 7919) % 2**32)
