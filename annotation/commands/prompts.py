"""Prompts in, candidates for them, and what there is: `import`, `import-demo`, `sample`, `status`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotation.commands.home import Home, opened, settings_of
from annotation.service import AnnotationService
from recsys.llm.backends import describe
from recsys.llm.pool import ModelPool
from recsys.settings import Settings


def import_demo(home: Home = None) -> None:
    """Make prompts from the demo histories and queries; those that are there already are kept."""
    with opened(home) as service:
        typer.echo(f"{service.add_demo_prompts():,} new prompts")


def import_file(
    file: Annotated[Path, typer.Argument(help="JSON Lines; `synthesize` writes preference.jsonl.")],
    home: Home = None,
) -> None:
    """Add the prompts of a file, with their candidates and known tags; those that are there are kept."""
    with opened(home) as service:
        typer.echo(f"{service.import_prompts(file):,} new prompts")


def sample(
    count: Annotated[int | None, typer.Option(min=1, help="How many prompts; all by default.")] = None,
    language: Annotated[str | None, typer.Option(help="en or ko; both by default.")] = None,
    model: Annotated[str | None, typer.Option(help="As `app.py --model` takes it.")] = None,
    adapter: Annotated[str | None, typer.Option(help="An adapter of the model.")] = None,
    home: Home = None,
) -> None:
    """Sample candidates for prompts that have none; Ctrl-C stops after the prompt at hand."""
    settings = settings_of(home)
    if model is not None:
        settings = Settings.model_validate(settings.model_dump() | {"model": model})
    name = settings.model
    languages = describe(name).languages
    pool = ModelPool(settings)
    service = AnnotationService.from_settings(
        settings, lambda: pool.get(name), models=pool.get, languages=languages
    )
    done = 0
    try:
        for prompt in service.sample(count, language, adapter):
            done += 1
            marked = sum(bool(c.marks) for c in service.store.prompts.candidates(prompt.id))
            note = f", {marked} with flaws" if marked else ""
            typer.echo(f"task {prompt.id}{note}")
    except KeyboardInterrupt:
        typer.echo("Stopped.")
    finally:
        service.close()
        pool.close()
    typer.echo(f"{done:,} prompts sampled")


def status(home: Home = None) -> None:
    """Say what the store holds."""
    with opened(home) as service:
        counts = service.counts()
        pairs = len(service.pairs("best-worst")), len(service.pairs("all"))
        flagged = service.flagged()
        path = service.store.path
    typer.echo(f"Store      {path}")
    typer.echo(f"Prompts    {counts.prompts:,}, of which {counts.sampled:,} have candidates")
    typer.echo(f"Judgements {sum(counts.judged.values()):,}")
    for annotator, judged in counts.judged.items():
        typer.echo(f"           {judged:,} by {annotator}")
    typer.echo(f"Pairs      {pairs[0]:,} (best-worst), {pairs[1]:,} (all)")
    typer.echo(f"Flagged    {len(flagged):,}")
    for flag in flagged:
        typer.echo(f"           task {flag.task_id} by {flag.annotator}: {flag.reason}")
