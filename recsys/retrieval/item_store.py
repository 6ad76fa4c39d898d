"""Catalogues and their items in SQLite: what the vector index points to."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.catalog import Item
from recsys.errors import UnknownCatalogError

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
"""


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One catalogue: `indexed_by` is the index settings under which its chunks were embedded."""

    name: str
    domain: str
    language: str
    items: int
    fingerprint: str
    chunks: int
    indexed_by: str


class ItemStore:
    """One SQLite file. Safe to use from several threads: one connection behind a lock."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.executescript(_SCHEMA)

    def catalogs(self) -> list[CatalogRow]:
        """All catalogues in the order in which they were added."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM catalogs ORDER BY rowid").fetchall()
        return [CatalogRow(*row) for row in rows]

    def catalog(self, name: str) -> CatalogRow:
        """The catalogue called `name`; raises UnknownCatalogError."""
        known = {c.name: c for c in self.catalogs()}
        if name not in known:
            raise UnknownCatalogError(name=name, known=", ".join(known) or "none yet")
        return known[name]

    def put(self, name: str, domain: str, language: str, items: Sequence[Item]) -> CatalogRow:
        """Add a catalogue, or replace the one of this name where it differs, in one transaction."""
        fingerprint = _fingerprint(items)
        with self._lock:
            known = {c.name: c for c in self.catalogs()}.get(name)
            if known and (known.fingerprint, known.domain, known.language) == (
                fingerprint,
                domain,
                language,
            ):
                return known
            with _transaction(self._db):
                self._db.execute("DELETE FROM catalogs WHERE name = ?", [name])
                self._db.execute(
                    "INSERT INTO catalogs (name, domain, language, items, fingerprint) VALUES (?,?,?,?,?)",
                    [name, domain, language, len(items), fingerprint],
                )
                self._db.executemany(
                    "INSERT INTO items VALUES (?,?,?)",
                    ((name, item.id, item.model_dump_json()) for item in items),
                )
                self._db.executemany(
                    "INSERT INTO titles VALUES (?,?,?)",
                    ((_key(title), name, item.id) for item in items for title in item.all_titles()),
                )
        return self.catalog(name)

    def mark_indexed(self, name: str, chunks: int, indexed_by: str) -> None:
        """Record that all chunks of a catalogue are in the index."""
        with self._lock:
            self._db.execute(
                "UPDATE catalogs SET chunks = ?, indexed_by = ? WHERE name = ?",
                [chunks, indexed_by, name],
            )

    def items(self, catalog: str) -> Iterator[Item]:
        """The items of a catalogue in their order."""
        with self._lock:
            rows = self._db.execute(
                "SELECT data FROM items WHERE catalog = ? ORDER BY rowid", [catalog]
            ).fetchall()
        return (Item.model_validate_json(data) for (data,) in rows)

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
                [_key(title)],
            ).fetchall()
        return [(catalog, Item.model_validate_json(data)) for catalog, data in rows]

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


def _key(title: str) -> str:
    # Text pasted from macOS has Korean syllables in letters (NFD); SQLite takes no lone surrogates.
    folded = " ".join(unicodedata.normalize("NFC", title).casefold().split())
    return folded.encode("utf-8", "replace").decode("utf-8")


def _fingerprint(items: Iterable[Item]) -> str:
    digest = hashlib.sha256()
    for item in items:
        digest.update(item.model_dump_json().encode())
        digest.update(b"\n")
    return digest.hexdigest()
