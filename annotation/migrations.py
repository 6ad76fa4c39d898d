"""The schema's history: numbered SQL files under `schema/`, each applied once, in one transaction.

`PRAGMA user_version` holds the number of the last one. A file that was released is never edited;
a change is a new file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from annotation.errors import NewerStoreError

SCHEMA = Path(__file__).with_name("schema")


@cache
def scripts(folder: Path = SCHEMA) -> tuple[str, ...]:
    """The SQL of every migration, oldest first; ValueError where numbers are not 1, 2, 3, ..."""
    files = sorted(folder.glob("*.sql"))
    numbers = [int(file.name.split("_")[0]) for file in files]
    if numbers != list(range(1, len(files) + 1)):
        raise ValueError(f"migrations in {folder} are numbered {numbers}")
    return tuple(file.read_text(encoding="utf-8") for file in files)


def version(connection: sqlite3.Connection) -> int:
    """The number of the last migration that was applied; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, path: Path, folder: Path = SCHEMA) -> None:
    """Bring the store up to date; raises NewerStoreError where it is ahead of this code.

    Safe when several processes open a store at once: each migration takes the write lock and then
    looks again whether it is still needed.
    """
    known = scripts(folder)
    found = version(connection)
    if found > len(known):
        raise NewerStoreError(path=path, found=found, known=len(known))
    for number in range(found + 1, len(known) + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version(connection) < number:
                for statement in _statements(known[number - 1]):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise


def _statements(script: str) -> Iterator[str]:
    """One statement at a time: `executescript` would commit the transaction around it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
