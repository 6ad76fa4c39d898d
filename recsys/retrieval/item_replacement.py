"""What a new version of a catalogue changes in the stored one."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from recsys.catalog import Item
from recsys.errors import InputError
from recsys.retrieval.item_titles import title_key


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a catalogue now holds; `kept` items have stayed as they were."""

    count: int
    kept: int
    language: str
    fingerprint: str


def replace_items(db: sqlite3.Connection, name: str, items: Iterable[Item]) -> Replaced:
    """Within a transaction: write what differs, remove what is gone.

    Raises InputError for an id that is there twice.
    """
    query = "SELECT id, digest FROM items WHERE catalog = ?"
    gone: dict[str, bytes] = {item_id: bytes.fromhex(digest) for item_id, digest in db.execute(query, [name])}
    seen: set[str] = set()
    languages: Counter[str] = Counter()
    fingerprint = hashlib.sha256()
    kept = 0
    for item in items:
        if item.id in seen:
            raise InputError(reason=f"Two items have the id {item.id!r}.")
        seen.add(item.id)
        languages[item.language] += 1
        data = item.model_dump_json()
        fingerprint.update(f"{data}\n".encode())
        digest = hashlib.sha256(data.encode())
        before = gone.pop(item.id, None)
        if before == digest.digest():
            kept += 1
            continue
        if before is not None:
            db.execute("INSERT OR IGNORE INTO stale VALUES (?,?)", [name, item.id])
            db.execute("DELETE FROM titles WHERE catalog = ? AND id = ?", [name, item.id])
        db.execute(
            "INSERT INTO items (catalog, id, data, digest) VALUES (?,?,?,?) ON CONFLICT(catalog, id)"
            " DO UPDATE SET data = excluded.data, digest = excluded.digest, chunks = 0, indexed_by = ''",
            [name, item.id, data, digest.hexdigest()],
        )
        titles = ((title_key(title), name, item.id) for title in item.all_titles())
        db.executemany("INSERT INTO titles VALUES (?,?,?)", titles)
    rows = [(name, item_id) for item_id in gone]
    db.executemany("INSERT OR IGNORE INTO stale VALUES (?,?)", rows)
    db.executemany("DELETE FROM items WHERE catalog = ? AND id = ?", rows)
    most = languages.most_common(1)
    return Replaced(len(seen), kept, most[0][0] if most else "en", fingerprint.hexdigest())
