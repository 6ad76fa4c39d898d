"""`python -m bench [NAME ...]`: run all measurements, or the named ones, and print their figures."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Annotated

import typer

from bench import (
    candidates,
    closeness,
    first_page,
    indexing,
    loaders,
    many_annotators,
    many_prompts,
    next_prompt,
    next_prompt_training,
    retrieval,
    synthesis,
    teacher,
    training_memory,
)
from recsys.settings import usable_cpus


def _training_speed() -> None:
    from bench import training_speed  # torch, which the other measurements run without

    training_speed.run()


BENCHES: dict[str, Callable[[], None]] = {
    "candidates": candidates.run,
    "first-page": first_page.run,
    "next-prompt": next_prompt.run,
    "next-prompt-training": next_prompt_training.run,
    "indexing": indexing.run,
    "retrieval": retrieval.run,
    "closeness": closeness.run,
    "loaders": loaders.run,
    "synthesis": synthesis.run,
    "many-prompts": many_prompts.run,
    "many-annotators": many_annotators.run,
    "training-speed": _training_speed,
    "training-memory": training_memory.run,
    "teacher": teacher.run,
}


def main(names: Annotated[list[str] | None, typer.Argument(help=", ".join(BENCHES))] = None) -> None:
    """Run measurements one after another; nothing else should be running."""
    unknown = [name for name in names or [] if name not in BENCHES]
    if unknown:
        raise typer.BadParameter(f"no such measurement: {', '.join(unknown)}")
    print(f"{platform.platform()}, {usable_cpus()} processors, Python {platform.python_version()}")
    for name in names or BENCHES:
        print(f"\n== {name}", flush=True)
        BENCHES[name]()


if __name__ == "__main__":
    typer.run(main)
