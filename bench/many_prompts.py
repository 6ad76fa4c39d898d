"""llama.cpp: many prompts in shared batches against one call at a time, on the same backend.

The prompts are those of synthesis: a history with the true target, to be explained in exactly 64 tokens
(`bench.teacher` lets the model end its answers). The two ways take turns on the same prompts, each round
gives a ratio, and the median ratio is the result.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from recsys.demos import load_demos
from recsys.llm.adapters import AdapterStore
from recsys.llm.base import Priority, Request, Sampling
from recsys.llm.llama_cpp import LlamaCppBackend
from recsys.llm.model_files import model_file
from recsys.llm.registry import known_models, load_spec
from recsys.prompts.formats import Prompt
from recsys.settings import usable_cpus
from recsys.synthesis.teachers import Task, response_prompt

_PROMPTS, _TOKENS, _ROUNDS = 16, 64, 3


def run() -> None:
    """Print examples/s of both ways and their ratio, for each embedded model."""
    prompts = [response_prompt(task) for task in tasks(_PROMPTS)]
    with TemporaryDirectory() as folder:
        for name in known_models():
            _compare(name, prompts, Path(folder))


def _compare(name: str, prompts: list[Prompt], folder: Path) -> None:
    spec = load_spec(name)
    backend = LlamaCppBackend(spec, model_file(spec, folder), AdapterStore(folder), threads=usable_cpus())
    together: list[float] = []
    alone: list[float] = []
    for round_ in range(_ROUNDS + 1):
        requests = [
            Request(
                prompt,
                Sampling(max_tokens=_TOKENS, seed=1000 * round_ + i, ignore_eos=True),
                priority=Priority.BACKGROUND,
            )
            for i, prompt in enumerate(prompts)
        ]
        started = time.perf_counter()
        backend.complete_many(requests)
        middle = time.perf_counter()
        for request in requests:
            backend.complete(request)
        ended = time.perf_counter()
        if round_:  # the first one warms up
            together.append(len(requests) / (middle - started))
            alone.append(len(requests) / (ended - middle))
    backend.close()
    ratios = [a / b for a, b in zip(together, alone, strict=True)]
    print(f"{name}: {_PROMPTS} prompts of different histories, {_TOKENS} tokens each")
    print(f"  one call at a time  {statistics.median(alone):5.2f} examples/s")
    print(
        f"  in shared batches   {statistics.median(together):5.2f} examples/s, ratio "
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, {_ROUNDS} rounds)"
    )


def tasks(count: int) -> list[Task]:
    """Rows to be explained, of demo histories of all domains; the last item is the target."""
    found: list[Task] = []
    for domain, demo in load_demos().items():
        for taste in demo.histories:
            *history, target = demo.history(taste.id).items
            task = Task(
                situation="passive",
                form="direct",
                language="en",
                domain=domain,
                history=tuple(history),
                target=target,
                options=0,
                seed=0,
            )
            found.append(task)
    return found[:: max(1, len(found) // count)][:count]
