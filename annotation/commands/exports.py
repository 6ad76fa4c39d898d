"""Judgements out: `export`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from annotation.commands.home import Home, opened
from annotation.errors import NoPairsError
from annotation.export.llama_factory import write_llama_factory
from annotation.export.parquet import write_parquet
from annotation.files import whole_file
from annotation.pairs import Strategy, write_jsonl
from annotation.selection import ExportRules, Merge, Selection

Format = Literal["jsonl", "parquet", "llama-factory", "csv"]


def export(
    out: Annotated[Path, typer.Option(help="File to write; a folder for llama-factory.")],
    strategy: Annotated[
        Strategy, typer.Option(help="One pair a judgement, or all that the two tags imply.")
    ] = "best-worst",
    merge: Annotated[
        Merge, typer.Option(help="Every annotator's pairs with weights, or what the majority says.")
    ] = "all",
    format: Annotated[
        Format, typer.Option(help="TRL rows as jsonl or parquet, llama-factory, or csv of all judgements.")
    ] = "jsonl",
    max_disagreement: Annotated[
        float | None, typer.Option(min=0, max=1, help="Leave out prompts with more (0 none, 1 complete).")
    ] = None,
    min_gold_accuracy: Annotated[
        float | None, typer.Option(min=0, max=1, help="Leave out annotators below it on gold prompts.")
    ] = None,
    against: Annotated[
        list[Path] | None, typer.Option(help="JSON Lines whose instructions must not be trained on.")
    ] = None,
    excluded: Annotated[
        Path | None, typer.Option(help="JSON Lines to write: what is left out, and why.")
    ] = None,
    home: Home = None,
) -> None:
    """Write preference pairs, or the whole log of judgements as CSV."""
    with opened(home) as service:
        if format == "csv":
            typer.echo(f"{service.export_judgements(out):,} judgements written to {out}")
            return
        rules = ExportRules(
            strategy=strategy,
            merge=merge,
            max_disagreement=max_disagreement,
            min_gold_accuracy=min_gold_accuracy,
        )
        selection = service.selection(rules, against or ())
    if excluded is not None:
        _write_excluded(selection, excluded)
    for reason, count in selection.reasons().items():
        typer.echo(f"left out: {count:,} {reason}")
    if not selection.pairs:
        raise NoPairsError()
    write = {"jsonl": write_jsonl, "parquet": write_parquet, "llama-factory": write_llama_factory}[format]
    typer.echo(f"{write(selection.pairs, out):,} pairs written to {out}")


def _write_excluded(selection: Selection, file: Path) -> None:
    with whole_file(file) as part:
        lines = (json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in selection.excluded)
        part.write_text("".join(lines), encoding="utf-8")
