"""What a method is tested on: a catalogue, and people of whom we know what they liked next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from recsys.catalog import Item

HISTORY_LENGTH = 10
"""Positives before the target that a method sees, at most."""


@dataclass(frozen=True, slots=True)
class Case:
    """One person. `history` holds positions in `EvaluationData.sources`, oldest first; `targets` positions
    in `EvaluationData.items`: one where a person's next positive is known, several where only a topic is."""

    user: str
    history: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True)
class EvaluationData:
    """A catalogue (`items`), the items of the histories (`sources`) and the cases.

    `known` is a sparse matrix (users, items) of what in-domain methods may learn from, None where there
    are no users. `protocol` says in words how the cases were made; `notes` what is special about them.
    """

    name: str
    domain: str
    items: tuple[Item, ...]
    sources: tuple[Item, ...]
    cases: tuple[Case, ...]
    protocol: str
    known: Any = None  # scipy.sparse.csr_array, which has no types
    notes: tuple[str, ...] = field(default=())

    @property
    def same_catalogue(self) -> bool:
        """Whether histories are of the catalogue itself, so that their items are left out of the ranking."""
        return self.sources is self.items

    def seeing(self, count: int) -> EvaluationData:
        """The same people and targets, where methods see the last `count` items of each history at most."""
        if count >= max((len(case.history) for case in self.cases), default=0):
            return self
        cases = tuple(replace(case, history=case.history[-count:]) for case in self.cases)
        note = (
            f"methods see the last {count} of each history" if count > 1 else "methods see the last item only"
        )
        return replace(self, cases=cases, notes=(*self.notes, note))
