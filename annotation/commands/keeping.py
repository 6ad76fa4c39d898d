"""The store's file: `backup`, `restore`, `check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotation import backup as files
from annotation.commands.home import Home, settings_of
from annotation.errors import StoreFileError


def backup(
    file: Annotated[Path, typer.Argument(help="File to write; replaced when it exists.")], home: Home = None
) -> None:
    """Copy the store while it is in use, and check the copy."""
    size = files.backup(settings_of(home).paths.annotations, file)
    typer.echo(f"{size:,} bytes written to {file}")


def restore(file: Annotated[Path, typer.Argument(help="What `backup` wrote.")], home: Home = None) -> None:
    """Put a backup in the place of the store; what was there is kept beside it."""
    store = settings_of(home).paths.annotations
    kept = files.restore(file, store)
    typer.echo(f"{store} is restored from {file}")
    if kept is not None:
        typer.echo(f"What it held before is in {kept}")


def check(home: Home = None) -> None:
    """Look at every page, index and reference of the store; exit code 3 when something is wrong."""
    store = settings_of(home).paths.annotations
    problems = list(files.check(store))
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise StoreFileError(path=store, problem=f"{len(problems)} problems were found")
    typer.echo(f"{store} is sound")
