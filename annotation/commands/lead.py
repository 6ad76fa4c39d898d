"""For whoever leads the annotation: `report`, `policy`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from annotation.commands.home import Home, opened
from annotation.errors import PolicyError
from annotation.quality.report import report_lines


def report(
    language: Annotated[Literal["en", "ko"], typer.Option(help="Language of the report.")] = "en",
    home: Home = None,
) -> None:
    """Say how far the judgements can be trusted, and what each figure means."""
    with opened(home) as service:
        for line in report_lines(service.quality_report(), language):
            typer.echo(line)


def policy(
    overlap: Annotated[int | None, typer.Option(min=0, help="Annotators a prompt; 0 for everybody.")] = None,
    extra_on_dispute: Annotated[
        int | None, typer.Option(min=0, help="So many more where they disagree.")
    ] = None,
    lease: Annotated[int | None, typer.Option(min=1, help="Seconds until an idle task goes on.")] = None,
    gold_every: Annotated[
        int | None, typer.Option(min=0, help="Every how many tasks a gold prompt, on average; 0 never.")
    ] = None,
    repeat_every: Annotated[
        int | None, typer.Option(min=0, help="The same for prompts that the annotator has judged.")
    ] = None,
    resamples: Annotated[
        int | None, typer.Option(min=0, help="How often a flawed candidate is sampled again.")
    ] = None,
    sources: Annotated[
        Path | None,
        typer.Option(
            help="JSON: a list of {count, model, adapter, temperature, top_p} for five candidates in all."
        ),
    ] = None,
    home: Home = None,
) -> None:
    """Show how prompts are sampled and given out, after changing what is given."""
    given = {
        "extra_on_dispute": extra_on_dispute,
        "lease_s": lease,
        "gold_every": gold_every,
        "repeat_every": repeat_every,
        "resamples": resamples,
        "sources": _sources(sources),
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if overlap is not None:
        changes["overlap"] = overlap or None
    with opened(home) as service:
        now = service.set_policy(changes) if changes else service.policy()
    typer.echo(now.model_dump_json(indent=1))


def _sources(file: Path | None) -> object:
    if file is None:
        return None
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PolicyError(problem=f"{file} is not JSON that can be read") from error
