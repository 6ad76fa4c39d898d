"""Annotation from the command line.

    python -m annotation import preference.jsonl
    python -m annotation policy --overlap 3
    python -m annotation sample --count 100
    python -m annotation status
    python -m annotation report --language ko
    python -m annotation export --out pairs.jsonl --strategy all
    python -m annotation backup annotations-backup.db

Data lies in the home folder; the app may be running meanwhile. Exit codes: 0 done, 2 something that was
given cannot be used, 3 the store is damaged, 4 there is nothing to do it with, 5 not ready yet.
"""

from __future__ import annotations

import typer

from annotation.commands import exports, keeping, lead, prompts
from recsys.errors import ZeroshelfError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Prompts, judgements and preference pairs."
)
app.command("import")(prompts.import_file)
app.command()(prompts.import_demo)
app.command()(prompts.sample)
app.command()(prompts.status)
app.command()(lead.report)
app.command()(lead.policy)
app.command()(exports.export)
app.command()(keeping.backup)
app.command()(keeping.restore)
app.command()(keeping.check)


def main() -> None:
    """Run the command line; what went wrong goes to stderr, its kind into the exit code."""
    try:
        app()
    except ZeroshelfError as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
