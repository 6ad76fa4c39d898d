"""Catalogues and their items in SQLite: what the vector index points to."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from recsys.catalog import Item
from recsys.errors import UnknownCatalogError
from recsys.retrieval.item_replacement import replace_items
from recsys.retrieval.item_titles import title_key, typed_pattern

_SCHEMA = """
CREATE TABLE IF NOT EXISTS catalogs (
    name TEXT PRIMARY KEY, domain TEXT NOT NULL, language TEXT NOT NULL,
    items INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    chunks INTEGER NOT NULL DEFAULT 0, indexed_by TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS items (
    catalog TEXT NOT NULL REFERENCES catalogs(name) ON DELETE CASCADE,
    id TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (catalog, id));
CREATE TABLE IF NOT EXISTS titles (
    title TEXT NOT NULL, catalog TEXT NOT NULL, id TEXT NOT NULL,
    FOREIGN KEY (catalog, id) REFERENCES items(catalog, id) ON DELETE CASCADE);
CREATE INDEX IF NOT EXISTS titles_by_title ON titles(title);
CREATE INDEX IF NOT EXISTS titles_by_item ON titles(catalog, id);
CREATE TABLE IF NOT EXISTS stale (
    catalog TEXT NOT NULL REFERENCES catalogs(name) ON DELETE CASCADE,
    id TEXT NOT NULL, PRIMARY KEY (catalog, id));
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_ITEM_COLUMNS = {
    "digest": "TEXT NOT NULL DEFAULT ''",
    "chunks": "INTEGER NOT NULL DEFAULT 0",
    "indexed_by": "TEXT NOT NULL DEFAULT ''",
}
"""Columns of `items` that databases of the first version lack."""

_LATER = """
CREATE INDEX IF NOT EXISTS items_by_index ON items(catalog, indexed_by);
INSERT OR IGNORE INTO about VALUES ('owner', lower(hex(randomblob(8))));
"""
_BUSY_S = 60.0
_PAGE = 500


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One catalogue: `indexed_by` is the index settings under which its chunks were embedded, "" where it has
    never been indexed whole. `stopped` (1, else 0): somebody has stopped the indexing, and it waits for
    somebody. `version` counts how often it has been indexed to the end."""

    name: str
    domain: str
    language: str
    items: int
    fingerprint: str
    chunks: int
    indexed_by: str
    stopped: int = 0
    version: int = field(default=0, compare=False)


_ROW = "name, domain, language, items, fingerprint, chunks, indexed_by, stopped, version"


class ItemStore:
    """One SQLite file. Safe to use from several threads, and from several processes.

    Small things share one connection behind a lock; what takes seconds has a connection of its own, so that
    nobody waits for it to read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._db = self._connect()
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_SCHEMA)
        self._add_columns()
        self._db.executescript(_LATER)

    @property
    def owner(self) -> str:
        """A name of this store that no other has: whose collections on a Chroma server are its own."""
        with self._lock:
            (value,) = self._db.execute("SELECT value FROM about WHERE key = 'owner'").fetchone()
        return str(value)

    def catalogs(self) -> list[CatalogRow]:
        """All catalogues in the order in which they were added."""
        with self._lock:
            rows = self._db.execute(f"SELECT {_ROW} FROM catalogs ORDER BY rowid").fetchall()
        return [CatalogRow(*row) for row in rows]

    def catalog(self, name: str) -> CatalogRow:
        """The catalogue called `name`; raises UnknownCatalogError."""
        known = {c.name: c for c in self.catalogs()}
        if name not in known:
            raise UnknownCatalogError(name=name, known=", ".join(known) or "none yet")
        return known[name]

    def put(self, name: str, domain: str, language: str, items: Iterable[Item]) -> CatalogRow:
        """Add a catalogue, or make the one of this name hold `items`, in one transaction.

        Items whose content is the same keep their place in the index; the others have to be indexed
        (`pending`), and chunks of what was changed or is gone to be removed (`stale`). `items` are read once,
        one by one; what reading them raises leaves everything as it was. An empty `language` is that of most
        items. Raises InputError for an id that is there twice.
        """
        with self._writing() as db:
            db.execute(
                "INSERT OR IGNORE INTO catalogs (name, domain, language, items, fingerprint)"
                " VALUES (?,?,?,0,'')",
                [name, domain, language],
            )
            found = replace_items(db, name, items)
            (before,) = db.execute("SELECT fingerprint FROM catalogs WHERE name = ?", [name]).fetchone()
            db.execute(
                "UPDATE catalogs SET domain = ?, language = ?, items = ?, fingerprint = ? WHERE name = ?",
                [domain, language or found.language, found.count, found.fingerprint, name],
            )
            if before != found.fingerprint:
                db.execute("UPDATE catalogs SET stopped = 0 WHERE name = ?", [name])
                if not found.kept:
                    db.execute("UPDATE catalogs SET chunks = 0, indexed_by = '' WHERE name = ?", [name])
        return self.catalog(name)

    def delete(self, name: str) -> None:
        """Remove a catalogue and its items; raises UnknownCatalogError."""
        self.catalog(name)
        with self._writing() as db:
            db.execute("DELETE FROM catalogs WHERE name = ?", [name])

    def set_stopped(self, name: str, stopped: bool) -> None:
        """Record that somebody has stopped the indexing of a catalogue, or wants it to go on."""
        with self._lock:
            self._db.execute("UPDATE catalogs SET stopped = ? WHERE name = ?", [stopped, name])

    def pending(self, name: str, limit: int) -> list[Item]:
        """The first items of a catalogue that are not indexed."""
        with self._lock:
            rows = self._db.execute(
                "SELECT data FROM items WHERE catalog = ? AND indexed_by = '' ORDER BY rowid LIMIT ?",
                [name, limit],
            ).fetchall()
        return [Item.model_validate_json(data) for (data,) in rows]

    def indexed_under(self, name: str) -> dict[str, int]:
        """How many items of a catalogue are indexed under which settings; "" for those that are not."""
        with self._lock:
            rows = self._db.execute(
                "SELECT indexed_by, COUNT(*) FROM items WHERE catalog = ? GROUP BY indexed_by", [name]
            ).fetchall()
        return dict(rows)

    def stale(self, name: str, limit: int) -> list[str]:
        """Ids of items whose chunks in the index are those of an older content, or of nothing any more."""
        with self._lock:
            rows = self._db.execute(
                "SELECT id FROM stale WHERE catalog = ? LIMIT ?", [name, limit]
            ).fetchall()
        return [item_id for (item_id,) in rows]

    def clear_stale(self, name: str, ids: Sequence[str]) -> None:
        """Record that the chunks of `ids` are no longer in the index."""
        with self._lock, _transaction(self._db):
            self._db.executemany("DELETE FROM stale WHERE catalog = ? AND id = ?", ((name, i) for i in ids))

    def forget_index(self, name: str) -> None:
        """Record that nothing of a catalogue is in the index."""
        with self._writing() as db:
            db.execute("UPDATE items SET chunks = 0, indexed_by = '' WHERE catalog = ?", [name])
            db.execute("UPDATE catalogs SET chunks = 0, indexed_by = '' WHERE name = ?", [name])
            db.execute("DELETE FROM stale WHERE catalog = ?", [name])

    def mark_items(self, name: str, chunks: Mapping[str, int], indexed_by: str) -> None:
        """Record that these items, with so many chunks each, are in the index."""
        with self._lock, _transaction(self._db):
            self._db.executemany(
                "UPDATE items SET chunks = ?, indexed_by = ? WHERE catalog = ? AND id = ?",
                ((count, indexed_by, name, item_id) for item_id, count in chunks.items()),
            )

    def mark_indexed(self, name: str, indexed_by: str) -> None:
        """Record that all items of a catalogue are in the index."""
        with self._lock:
            self._db.execute(
                "UPDATE catalogs SET indexed_by = ?, version = version + 1, chunks ="
                " (SELECT COALESCE(SUM(chunks), 0) FROM items WHERE catalog = name) WHERE name = ?",
                [indexed_by, name],
            )

    def items(self, catalog: str) -> Iterator[Item]:
        """The items of a catalogue in their order, read a page at a time."""
        last = -1
        while True:
            with self._lock:
                rows = self._db.execute(
                    "SELECT rowid, data FROM items WHERE catalog = ? AND rowid > ? ORDER BY rowid LIMIT ?",
                    [catalog, last, _PAGE],
                ).fetchall()
            if not rows:
                return
            yield from (Item.model_validate_json(data) for _, data in rows)
            last = rows[-1][0]

    def get(self, catalog: str, ids: Iterable[str]) -> dict[str, Item]:
        """The items of `ids` that exist, by id."""
        wanted = json.dumps(list(ids))
        with self._lock:
            rows = self._db.execute(
                "SELECT data FROM items WHERE catalog = ? AND id IN (SELECT value FROM json_each(?))",
                [catalog, wanted],
            ).fetchall()
        found = (Item.model_validate_json(data) for (data,) in rows)
        return {item.id: item for item in found}

    def by_title(self, title: str) -> list[tuple[str, Item]]:
        """(catalogue, item) of every item that goes by this title, whatever its case and spacing."""
        with self._lock:
            rows = self._db.execute(
                "SELECT items.catalog, items.data FROM titles JOIN items"
                " ON items.catalog = titles.catalog AND items.id = titles.id WHERE titles.title = ?",
                [title_key(title)],
            ).fetchall()
        return [(catalog, Item.model_validate_json(data)) for catalog, data in rows]

    def suggest(self, typed: str, limit: int = 10) -> list[tuple[str, Item]]:
        """(catalogue, item) of indexed catalogues whose titles, in any language, have `typed` in them.

        Titles that begin with it come first, then those with a word that does, then the others; shorter
        titles first. A Korean syllable that is still being typed stands for those that it can become.
        """
        pattern = typed_pattern(typed)
        if not pattern:
            return []
        with self._lock:
            rows = self._db.execute(
                "SELECT items.catalog, items.data, MIN(CASE WHEN titles.title GLOB ? THEN 0"
                " WHEN titles.title GLOB ? THEN 1 ELSE 2 END * 1000 + length(titles.title)) AS place"
                " FROM titles JOIN items ON items.catalog = titles.catalog AND items.id = titles.id"
                " JOIN catalogs ON catalogs.name = items.catalog"
                " WHERE titles.title GLOB ? AND catalogs.indexed_by <> ''"
                " GROUP BY items.catalog, items.id ORDER BY place, items.rowid LIMIT ?",
                [f"{pattern}*", f"*[ :(-]{pattern}*", f"*{pattern}*", limit],
            ).fetchall()
        return [(catalog, Item.model_validate_json(data)) for catalog, data, _ in rows]

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=_BUSY_S, check_same_thread=False, isolation_level=None)
        db.execute("PRAGMA foreign_keys=ON")
        return db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction on a connection of its own."""
        with closing(self._connect()) as db, _transaction(db):
            yield db

    def _add_columns(self) -> None:
        present = {row[1] for row in self._db.execute("PRAGMA table_info(catalogs)")}
        for name in ("stopped", "version"):
            if name not in present:
                self._db.execute(f"ALTER TABLE catalogs ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0")
        present = {row[1] for row in self._db.execute("PRAGMA table_info(items)")}
        missing = [name for name in _ITEM_COLUMNS if name not in present]
        if missing:
            with _transaction(self._db):
                for name in missing:
                    self._db.execute(f"ALTER TABLE items ADD COLUMN {name} {_ITEM_COLUMNS[name]}")
                self._db.execute(
                    "UPDATE items SET indexed_by = (SELECT indexed_by FROM catalogs WHERE name = catalog)"
                )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


class _transaction:
    """`with` one immediate transaction; rolled back on an exception."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
