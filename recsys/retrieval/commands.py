"""`python -m recsys catalogs`: what the catalogues' panel does, in a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys.settings import Settings

if TYPE_CHECKING:
    from recsys.retrieval.catalogs import Catalogs

app = typer.Typer(no_args_is_help=True, help="Catalogues to recommend from. The app must not be running.")

Home = Annotated[Path | None, typer.Option(help="Data folder; default as in the app.")]
_TOLD = 20


@app.command("list")
def list_catalogs(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False, home: Home = None
) -> None:
    """The catalogues, how many items and chunks they have, their embedder, and how far they are indexed."""
    from recsys.retrieval.catalog_view import catalog_rows

    with _opened(home) as catalogs:
        rows = catalog_rows(catalogs)
    if as_json:
        print(json.dumps([row.payload() for row in rows], ensure_ascii=False))
        return
    for row in rows:
        far = "" if row.state.state == "ready" else f"; {row.state.state}, {row.state.done:,} items indexed"
        print(f"{row.name}: {row.domain}, {row.items:,} items, {row.chunks:,} chunks, {row.embedder}{far}")


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="CSV or JSON Lines with id, title and text.")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Read a catalogue file and say which rows cannot be used, and what to change."""
    from recsys.retrieval.catalog_files import check_catalog_file
    from recsys.retrieval.catalog_view import check_payload

    found = check_catalog_file(file)
    if as_json:
        print(json.dumps(check_payload(found), ensure_ascii=False))
    else:
        print(f"{found.items:,} items, {found.bad_rows:,} rows that cannot be used")
        for line in (*map(str, found.problems[:_TOLD]), *found.notes):
            print(f"  {line}")
        if (more := found.bad_rows - _TOLD) > 0:
            print(f"  and {more:,} more")
    if found.bad_rows:
        raise typer.Exit(3)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The catalogue's name.")],
    path: Annotated[Path, typer.Argument(help="A catalogue file, or a dataset's folder or archive.")],
    domain: Annotated[str, typer.Option(help="What its items are, such as films.")] = "other",
    dataset: Annotated[str, typer.Option(help="A public dataset, as `datasets list` names it.")] = "",
    skip_bad_rows: Annotated[bool, typer.Option(help="Leave out rows that cannot be used.")] = False,
    home: Home = None,
) -> None:
    """Add a catalogue, or replace the one of that name, and index it. Ctrl-C stops the indexing."""
    with _opened(home) as catalogs:
        if dataset:
            stored = catalogs.put_dataset(name, dataset, path)
        else:
            stored = catalogs.put_file(name, domain, path, skip_bad_rows=skip_bad_rows)
        for line in (*map(str, stored.problems[:_TOLD]), *stored.notes):
            _say(line)
        _say(f"{stored.row.items:,} items stored, {stored.bad_rows:,} rows left out")
        _index(catalogs, name)


@app.command("index")
def index(
    names: Annotated[list[str] | None, typer.Argument(help="Catalogues; all when left out.")] = None,
    home: Home = None,
) -> None:
    """Embed what is not indexed yet, with the embedder of ZEROSHELF_EMBEDDER. Ctrl-C stops it."""
    with _opened(home) as catalogs:
        for name in names or [row.name for row in catalogs.list()]:
            _index(catalogs, name)


@app.command("delete")
def delete(
    name: Annotated[str, typer.Argument(help="The catalogue.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
) -> None:
    """Delete a catalogue and its index."""
    with _opened(home) as catalogs:
        row = catalogs.store.catalog(name)
        if not yes:
            typer.confirm(f"Delete {name} with its {row.items:,} items?", abort=True)
        catalogs.delete(name)
    print(f"{name} is deleted.")


@contextmanager
def _opened(home: Path | None) -> Iterator[Catalogs]:
    from recsys.retrieval.catalogs import Catalogs

    catalogs = Catalogs.from_settings(Settings(home=home) if home else Settings())
    try:
        yield catalogs
    finally:
        catalogs.close()


def _index(catalogs: Catalogs, name: str) -> None:
    try:
        row = catalogs.index_catalog(name, _counter(name, catalogs.store.catalog(name).items))
    except KeyboardInterrupt:
        catalogs.indexer.stop(name)
        _say(f"Stopped; `python -m recsys catalogs index {name!r}` goes on.")
        raise typer.Exit(130) from None
    print(f"{name}: {row.items:,} items, {row.chunks:,} chunks")


def _counter(name: str, total: int) -> Callable[[int], None]:
    done = 0

    def show(count: int) -> None:
        nonlocal done
        done += count
        if done == total or done // 500 != (done - count) // 500:
            _say(f"{name}: {done:,} of {total:,} items")

    return show


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
