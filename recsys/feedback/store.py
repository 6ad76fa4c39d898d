"""Ratings in one SQLite file: rows that are only ever added. A thumb is taken back by another row."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from recsys.errors import DiskFullError, InputError, UnknownRecommendationError
from recsys.feedback.records import ANSWER, Rating, Shown, Value, now, shown
from recsys.recommendation import Recommendation

_REMEMBERED = 1000
_MAX_PERSON_CHARS = 64
_SCHEMA = """
CREATE TABLE IF NOT EXISTS shown (
    id TEXT PRIMARY KEY, created TEXT NOT NULL, catalog TEXT NOT NULL, model TEXT NOT NULL,
    query TEXT NOT NULL, answer TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ratings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, created TEXT NOT NULL,
    shown TEXT NOT NULL REFERENCES shown(id), item TEXT NOT NULL, rank INTEGER NOT NULL,
    value INTEGER NOT NULL CHECK (value IN (-1, 0, 1)), person TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS ratings_by_shown ON ratings(shown, item);
CREATE TRIGGER IF NOT EXISTS ratings_keep BEFORE UPDATE ON ratings
BEGIN SELECT RAISE(ABORT, 'a rating cannot be changed'); END;
CREATE TRIGGER IF NOT EXISTS ratings_stay BEFORE DELETE ON ratings
BEGIN SELECT RAISE(ABORT, 'a rating cannot be deleted'); END;
CREATE TRIGGER IF NOT EXISTS shown_keep BEFORE UPDATE ON shown
BEGIN SELECT RAISE(ABORT, 'what was shown cannot be changed'); END;
CREATE TRIGGER IF NOT EXISTS shown_stay BEFORE DELETE ON shown
BEGIN SELECT RAISE(ABORT, 'what was shown cannot be deleted'); END;
"""


class FeedbackStore:
    """The ratings of one home folder; safe to use from several threads.

    Recommendations are remembered in memory, the last thousand of them; one is written when something of
    it is rated for the first time. What nobody rates is never stored.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._recent: OrderedDict[str, Recommendation] = OrderedDict()

    def remember(self, recommendation: Recommendation) -> None:
        """Keep a finished recommendation in mind, so that it can be rated by its id."""
        with self._lock:
            self._recent[recommendation.id] = recommendation
            while len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)

    def recent(self, recommendation: str) -> Recommendation:
        """One that is still remembered; raises UnknownRecommendationError."""
        with self._lock:
            if recommendation not in self._recent:
                raise UnknownRecommendationError(id=recommendation[:64])
            return self._recent[recommendation]

    def rate(self, recommendation: str, item: str, value: Value, person: str = "") -> int:
        """Store a thumb for an item of a recommendation, or for its answer (`item` ""); its row's number.

        It is on the disk when this returns. 0 takes back what was said before. Raises InputError for
        another value or item, UnknownRecommendationError.
        """
        if value not in get_args(Value):
            raise InputError(reason=f"A rating is -1, 0 or 1, not {value!r}.")
        with self._open() as db:
            kept = self._kept(db, recommendation)
            if item != ANSWER and item not in {one.id for one in kept.items}:
                raise InputError(reason=f"The recommendation has no item {item!r}.")
            if item == ANSWER and not kept.answer:
                raise InputError(reason="The recommendation has no answer to be rated.")
            row = (now(), kept.id, item, kept.rank(item), value, person[:_MAX_PERSON_CHARS])
            done = db.execute(
                "INSERT INTO ratings (created, shown, item, rank, value, person) VALUES (?,?,?,?,?,?)", row
            )
            return int(done.lastrowid or 0)

    def rated(self, recommendation: str) -> dict[str, Value]:
        """What counts now of one recommendation: item id (the answer's is "") to -1 or 1."""
        with self._open() as db:
            rows = db.execute(
                "SELECT * FROM ratings WHERE shown = ? ORDER BY id", [recommendation]
            ).fetchall()
        return {item: value for item, value in _last(rows).items() if value}

    def all(self) -> list[tuple[Shown, dict[str, Value]]]:
        """Every rated recommendation with what counts now, oldest first."""
        with self._open() as db:
            kept = [
                Shown.model_validate_json(row["data"])
                for row in db.execute("SELECT data FROM shown ORDER BY rowid")
            ]
            rows = db.execute("SELECT * FROM ratings ORDER BY id").fetchall()
        of_shown: dict[str, list[sqlite3.Row]] = {}
        for row in rows:
            of_shown.setdefault(row["shown"], []).append(row)
        return [(one, {i: v for i, v in _last(of_shown.get(one.id, [])).items() if v}) for one in kept]

    def log(self) -> list[Rating]:
        """Every row, oldest first."""
        with self._open() as db:
            return [Rating(**dict(row)) for row in db.execute("SELECT * FROM ratings ORDER BY id")]

    def _kept(self, db: sqlite3.Connection, recommendation: str) -> Shown:
        """The recommendation as it is stored, stored now where it is only remembered."""
        row = db.execute("SELECT data FROM shown WHERE id = ?", [recommendation]).fetchone()
        if row:
            return Shown.model_validate_json(row["data"])
        found = self._recent.get(recommendation)
        if found is None:
            raise UnknownRecommendationError(id=recommendation[:64])
        kept = shown(found)
        db.execute(
            "INSERT INTO shown (id, created, catalog, model, query, answer, data) VALUES (?,?,?,?,?,?,?)",
            [
                kept.id,
                kept.created,
                kept.catalog,
                kept.model,
                kept.query,
                kept.answer,
                kept.model_dump_json(),
            ],
        )
        return kept

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            db = sqlite3.connect(self._path, timeout=10.0)
            try:
                db.row_factory = sqlite3.Row
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
                db.execute("PRAGMA foreign_keys = ON")
                db.executescript(_SCHEMA)
                with db:
                    yield db
            except sqlite3.OperationalError as error:
                raise DiskFullError(path=self._path, problem=error) from error
            finally:
                db.close()


def _last(rows: list[sqlite3.Row]) -> dict[str, Value]:
    return {row["item"]: row["value"] for row in rows}
