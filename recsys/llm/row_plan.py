"""How many rows a step evaluates: one a sequence, fewer, or more, as gives most tokens a second.

Matrix kernels work in tiles: on one processor four rows cost less than five, on another eight cost less than
five. So steps of all sizes are timed when a model is loaded for the first time. The plan is kept: in another
one sums are rounded otherwise, and a seed could give another answer after a restart.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from recsys.files import write_whole
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


def kept_plan(file: Path, model: Path, threads: int, step: Callable[[int], float]) -> RowPlan:
    """The plan in `file` if it is of this model, machine and `threads`; else measured, and written there."""
    made_for = [model.name, model.stat().st_size, threads, _processor()]
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        rows = tuple(map(int, known["rows"]))
        if (
            known["for"] == made_for
            and len(rows) == MAX_ANSWERS + 1
            and 1 <= min(rows[1:]) <= max(rows) <= MAX_ANSWERS
        ):
            return RowPlan(rows)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none yet, or not one of ours
    plan = measured(step)
    with suppress(OSError):  # then it is measured again next time
        write_whole(file, json.dumps({"for": made_for, "rows": plan.rows}).encode())
    return plan


def measured(step: Callable[[int], float]) -> RowPlan:
    """The plan for a model; `step` evaluates so many rows and returns the seconds."""
    step(1)  # warm
    if min(step(1) for _ in range(_REPEATS)) > _WORTH_S:
        return RowPlan()
    return RowPlan.fastest({n: min(step(n) for _ in range(_REPEATS)) for n in range(1, MAX_ANSWERS + 1)})


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
