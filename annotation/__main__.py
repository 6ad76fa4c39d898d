"""Annotation from the command line.

    python -m annotation import-demo
    python -m annotation import preference.jsonl
    python -m annotation status
    python -m annotation export --out pairs.jsonl --strategy all

Data lies in the home folder; the app may be running meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotation.errors import NoPairsError
from annotation.pairs import Strategy, pairs_from_store, write_jsonl
from annotation.service import AnnotationService
from recsys.errors import ZeroshelfError
from recsys.settings import Settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Prompts, judgements and preference pairs."
)

Home = Annotated[Path | None, typer.Option(help="Data folder; ZEROSHELF_HOME, or the user's, by default.")]


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="JSON Lines file to write.")],
    strategy: Annotated[
        Strategy, typer.Option(help="One pair a judgement, or all that the two tags imply.")
    ] = "best-worst",
    home: Home = None,
) -> None:
    """Write the preference pairs as TRL's conversational rows."""
    pairs = pairs_from_store(_settings(home).paths.annotations, strategy)
    if not pairs:
        raise NoPairsError()
    typer.echo(f"{write_jsonl(pairs, out):,} pairs written to {out}")


@app.command()
def status(home: Home = None) -> None:
    """Say what the store holds."""
    settings = _settings(home)
    service = AnnotationService.from_settings(settings)
    try:
        counts = service.counts()
        pairs = len(service.pairs("best-worst")), len(service.pairs("all"))
    finally:
        service.close()
    typer.echo(f"Store      {settings.paths.annotations}")
    typer.echo(f"Prompts    {counts.prompts:,}, of which {counts.sampled:,} have candidates")
    typer.echo(f"Judgements {sum(counts.judged.values()):,}")
    for annotator, judged in counts.judged.items():
        typer.echo(f"           {judged:,} by {annotator}")
    typer.echo(f"Pairs      {pairs[0]:,} (best-worst), {pairs[1]:,} (all)")


@app.command()
def import_demo(home: Home = None) -> None:
    """Make prompts from the demo histories and queries; those that are there already are kept."""
    service = AnnotationService.from_settings(_settings(home))
    try:
        typer.echo(f"{service.add_demo_prompts():,} new prompts")
    finally:
        service.close()


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="JSON Lines; `synthesize` writes preference.jsonl.")],
    home: Home = None,
) -> None:
    """Add the prompts of a file; those that are there already are kept."""
    service = AnnotationService.from_settings(_settings(home))
    try:
        typer.echo(f"{service.import_prompts(file):,} new prompts")
    finally:
        service.close()


def _settings(home: Path | None) -> Settings:
    return Settings() if home is None else Settings(home=home)


def main() -> None:
    """Run the command line; what went wrong goes to stderr, its kind into the exit code."""
    try:
        app()
    except ZeroshelfError as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
