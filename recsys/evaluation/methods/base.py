"""What a method is."""

from __future__ import annotations

from typing import Protocol

from recsys.evaluation.cases import Case
from recsys.evaluation.ranking import Scores


class Method(Protocol):
    """Ranks a whole catalogue for one case at a time. Preparation is done when it is made."""

    def scores(self, case: Case) -> Scores:
        """One number an item, higher is better: shape (items,)."""
