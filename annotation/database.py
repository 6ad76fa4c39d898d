"""One SQLite file, opened the way that judgements need: durable, checked, and shared safely.

Within a process all threads use one connection behind one lock. Transactions here take about a
millisecond, so a queue in front of a lock is fair and short, whereas connections of their own would
meet each other in SQLite's busy handler, which sleeps and is not fair. Other processes (the command
line, a training run) have their own connection: WAL lets them read while somebody writes, and
writers wait for each other up to `BUSY_SECONDS`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from annotation.errors import StoreBusyError, StoreFileError
from annotation.migrations import migrate

BUSY_SECONDS = 10.0


class StoreFile:
    """An open, migrated store. Raises StoreFileError, NewerStoreError or StoreBusyError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with self._named_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
            try:
                self._db = Database(connection, execute_plugins=False)
                # FULL: a commit is on the disk before it is acknowledged, also in WAL mode.
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                self._db.enable_wal()
                migrate(connection, path)
            except BaseException:
                connection.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """A transaction in which everything is read from one moment."""
        with self._transaction("BEGIN") as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """A transaction that holds the write lock from its start, so that what it read stays true."""
        with self._transaction("BEGIN IMMEDIATE") as db:
            yield db

    def close(self) -> None:
        """Close the connection; the last one to close folds the write-ahead log into the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Database]:
        with self._lock, self._named_errors():
            self._db.conn.execute(begin)
            try:
                yield self._db
                self._db.conn.execute("COMMIT")
            except BaseException:
                self._db.rollback()
                raise

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """What the file or the disk does wrong, with cause and cure; bugs pass through."""
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise StoreBusyError(what="The annotation store", path=self.path) from error
            raise StoreFileError(path=self.path, problem=str(error)) from error
        except OSError as error:
            raise StoreFileError(path=self.path, problem=error.strerror or str(error)) from error


def now() -> str:
    """The time as the store writes it: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def row_id(text: str) -> int:
    """The row number that an id stands for; -1, which is no row's, for anything else.

    One number has one id: "07" and " 7" are not candidate 7, so that ids can be compared as text.
    """
    is_number = text.isascii() and text.isdigit() and len(text) <= 18 and str(int(text)) == text
    return int(text) if is_number else -1
