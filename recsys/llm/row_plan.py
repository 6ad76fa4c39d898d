"""How many rows a step evaluates: one a sequence, fewer, or more, as gives most tokens a second.

Matrix kernels work in tiles: on one processor four rows cost less than five, on another eight cost less than
five. So steps of all sizes are timed when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recsys.llm.base import MAX_ANSWERS

_REPEATS = 3
_WORTH_S = 0.1
"""A model whose step takes longer is not timed: loading it would take noticeably longer."""
_GAIN = 1.05


@dataclass(frozen=True)
class RowPlan:
    """`rows[n]` is the number of rows in a step while n sequences are open."""

    rows: tuple[int, ...] = tuple(range(MAX_ANSWERS + 1))

    @classmethod
    def fastest(cls, seconds: Mapping[int, float]) -> RowPlan:
        """From the seconds of a step of 1 to MAX_ANSWERS rows; as many as sequences unless clearly slower."""

        def tokens_per_s(count: int, rows: int) -> float:
            return min(count, rows) / seconds[rows]

        plan = [0]
        for count in range(1, MAX_ANSWERS + 1):
            best = max(seconds, key=lambda rows: tokens_per_s(count, rows))
            clearly = tokens_per_s(count, best) > _GAIN * tokens_per_s(count, count)
            plan.append(best if clearly else count)
        return cls(tuple(plan))


def measured(step: Callable[[int], float]) -> RowPlan:
    """The plan for a model; `step` evaluates so many rows and returns the seconds."""
    step(1)  # warm
    if min(step(1) for _ in range(_REPEATS)) > _WORTH_S:
        return RowPlan()
    return RowPlan.fastest({n: min(step(n) for _ in range(_REPEATS)) for n in range(1, MAX_ANSWERS + 1)})
