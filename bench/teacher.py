"""Examples per second of the model teacher: all rows of a shard at once against one row at a time.

    python -m bench teacher                                            each embedded model
    ZEROSHELF_BENCH_TEACHER=openai:http://host:8000/v1#name python -m bench teacher

Both ways go through the teacher, with the same rows, seeds and model, and take turns in being first. Each
round gives a ratio, and the median ratio is the result. The first round warms up and does not count.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.many_prompts import tasks
from recsys.llm.pool import ModelPool
from recsys.llm.registry import known_models
from recsys.settings import Settings
from recsys.synthesis.config import ModelTeacherConfig
from recsys.synthesis.tasks import Task
from recsys.synthesis.teachers import ModelTeacher

_ROWS, _TOKENS, _ROUNDS = 16, 64, 4


def run() -> None:
    """Print examples/s of both ways and their ratio, for each model."""
    asked = os.environ.get("ZEROSHELF_BENCH_TEACHER")
    with TemporaryDirectory() as folder:
        for name in [asked] if asked else list(known_models()):
            _compare(name, ModelPool(Settings(home=Path(folder))))


def _compare(name: str, pool: ModelPool) -> None:
    backend, adapter = pool.resolve(name, typed=True)
    teacher = ModelTeacher(backend, ModelTeacherConfig(max_tokens=_TOKENS, attempts=1), adapter=adapter)
    batched: list[float] = []
    alone: list[float] = []
    for round_ in range(_ROUNDS + 1):
        rows = [replace(task, seed=1000 * round_ + i) for i, task in enumerate(tasks(_ROWS))]
        shards = {"batched": [rows], "alone": [[row] for row in rows]}
        order = list(shards) if round_ % 2 else list(shards)[::-1]
        seconds = {way: _seconds(teacher, shards[way]) for way in order}
        if round_:
            batched.append(len(rows) / seconds["batched"])
            alone.append(len(rows) / seconds["alone"])
    pool.close()
    ratios = [a / b for a, b in zip(batched, alone, strict=True)]
    print(f"{name}: {_ROWS} rows, at most {_TOKENS} tokens each")
    print(f"  one row at a time  {statistics.median(alone):6.2f} examples/s")
    print(
        f"  all rows at once   {statistics.median(batched):6.2f} examples/s, ratio "
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, {_ROUNDS} rounds)"
    )


def _seconds(teacher: ModelTeacher, shards: Sequence[Sequence[Task]]) -> float:
    started = time.perf_counter()
    for shard in shards:
        teacher.responses(shard)
    return time.perf_counter() - started
