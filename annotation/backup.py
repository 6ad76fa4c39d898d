"""Backup, restore and check of a store, also while others use it.

SQLite's online backup copies a consistent state page by page; writers go on meanwhile. A restore is one
transaction on the store that is there, so open connections see all of it or none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from annotation.errors import BackupFileError, StoreBusyError, StoreFileError
from annotation.files import whole_file
from annotation.migrations import migrate, scripts, version

_PAGES = 256
_BUSY_SECONDS = 30.0
_TABLES = frozenset({"prompts", "candidates", "displays", "judgements"})


def backup(store: Path, file: Path) -> int:
    """Copy the store into `file`, check the copy, and return its size in bytes.

    An existing `file` is replaced only by a copy that is sound. Raises StoreFileError or ExportFileError.
    """
    with whole_file(file) as part:
        _copy(store, part)
        if problems := list(check(part)):
            raise StoreFileError(path=store, problem=problems[0])
    return file.stat().st_size


def restore(file: Path, store: Path) -> Path | None:
    """Put the backup `file` in the place of the store; the state before is kept in the file returned.

    None where there was no store. Raises BackupFileError where `file` is damaged or no store of this
    version or an earlier one, StoreFileError or StoreBusyError.
    """
    _require_store(file)
    kept = None
    if store.exists():
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        kept = store.with_name(f"{store.stem}-before-restore-{at}{store.suffix}")
        _copy(store, kept)
    _copy(file, store)
    with _named(store), closing(_open(store, write=True)) as connection:
        migrate(connection, store)
    return kept


def check(store: Path, *, quick: bool = False) -> Iterator[str]:
    """What is wrong with the store's file, in words; nothing where all is well.

    Looks at every page and index (with `quick`, not at indexes) and at every reference between rows.
    """
    with _named(store), closing(_open(store, write=False)) as connection:
        pragma = "quick_check" if quick else "integrity_check"
        for (found,) in connection.execute(f"PRAGMA {pragma}"):
            if found != "ok":
                yield str(found)
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
            yield f"row {row} of {table} refers to nothing in {parent}"


def _copy(source: Path, target: Path) -> None:
    with (
        _named(source),
        closing(_open(source, write=False)) as read,
        closing(_open(target, write=True)) as written,
    ):
        read.backup(written, pages=_PAGES, sleep=0.01)


def _require_store(file: Path) -> None:
    try:
        problems = list(check(file))
        if problems:
            raise BackupFileError(file=file, problem=problems[0])
        with closing(_open(file, write=False)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            found = version(connection)
    except (StoreFileError, sqlite3.DatabaseError) as error:
        problem = error.details["problem"] if isinstance(error, StoreFileError) else str(error)
        raise BackupFileError(file=file, problem=problem) from error
    if not tables >= _TABLES:
        raise BackupFileError(file=file, problem="it is not an annotation store")
    if found > len(scripts()):
        raise BackupFileError(file=file, problem=f"it is of the newer schema {found}")


def _open(path: Path, *, write: bool) -> sqlite3.Connection:
    if not write and not path.is_file():
        raise StoreFileError(path=path, problem="there is no such file")
    return sqlite3.connect(path, timeout=_BUSY_SECONDS)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise StoreBusyError(what="The annotation store", path=path) from error
        raise StoreFileError(path=path, problem=str(error)) from error
