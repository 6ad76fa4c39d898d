"""The items of one source on disk, for the processes that write examples: SQLite, opened read-only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from recsys.catalog import Item

_TEXT_CHARS = 600
_CACHED = 20_000


def write_items(path: Path, items: Iterable[tuple[int, Item]]) -> int:
    """Store (code, item), texts cut to their beginning, and return how many there were."""
    path.unlink(missing_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=OFF")
        db.execute("PRAGMA synchronous=OFF")
        db.execute("CREATE TABLE items (code INTEGER PRIMARY KEY, data TEXT NOT NULL)")
        db.execute("BEGIN")
        rows = ((code, _short(item).model_dump_json(exclude_defaults=True)) for code, item in items)
        db.executemany("INSERT OR IGNORE INTO items VALUES (?,?)", rows)
        db.execute("COMMIT")
        return int(db.execute("SELECT count(*) FROM items").fetchone()[0])
    finally:
        db.close()


class ItemTable:
    """Items by their code. For one thread."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        self.get = lru_cache(_CACHED)(self._get)

    def _get(self, code: int) -> Item:
        row = self._db.execute("SELECT data FROM items WHERE code = ?", [code]).fetchone()
        if row is None:
            raise KeyError(code)
        return Item.model_validate_json(row[0])

    def many(self, codes: Sequence[int]) -> list[Item]:
        """The items in the order of `codes`; KeyError for one that is not there."""
        return [self.get(int(code)) for code in codes]

    def all(self) -> Iterable[tuple[int, Item]]:
        """Every (code, item), by code."""
        for code, data in self._db.execute("SELECT code, data FROM items ORDER BY code"):
            yield code, Item.model_validate_json(data)

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _short(item: Item) -> Item:
    if len(item.text) <= _TEXT_CHARS:
        return item
    return item.model_copy(update={"text": item.text[:_TEXT_CHARS].rsplit(" ", 1)[0]})
