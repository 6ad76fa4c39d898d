"""`python -m training adapters ...`: list, rename, delete."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsys.settings import Settings
from training.adapters.changes import AdapterManager

app = typer.Typer(help="List, rename and delete adapters.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The adapter's name, as `list` shows it.")]
Home = Annotated[
    Path | None, typer.Option(help="The data folder (default: ZEROSHELF_HOME, or the user's own).")
]


@app.command("list")
def list_adapters(home: Home = None) -> None:
    """List the adapters, newest first."""
    adapters = _manager(home).list()
    for adapter in adapters:
        card = adapter.card
        origin = f"{card.base_model}+{card.parent}" if card.parent else card.base_model
        typer.echo(f"{card.name}  {card.kind} on {origin}  {card.rows} rows  {card.created:%Y-%m-%d %H:%M}")
    if not adapters:
        typer.echo("No adapters yet. Train one with `python -m training sft` or `dpo`.")


@app.command()
def rename(
    name: Name, new_name: Annotated[str, typer.Argument(help="Its new name.")], home: Home = None
) -> None:
    """Give an adapter another name."""
    card = _manager(home).rename(name, new_name)
    typer.echo(f"{name} is now {card.name}")


@app.command()
def delete(name: Name, home: Home = None) -> None:
    """Delete an adapter that nothing needs."""
    _manager(home).delete(name)
    typer.echo(f"{name} is deleted")


def _manager(home: Path | None) -> AdapterManager:
    return AdapterManager(Settings() if home is None else Settings(home=home))
