"""An embedder that remembers: texts that it has embedded before are read from a SQLite file."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from recsys.retrieval.embedders import Embedder, Vectors
from recsys.retrieval.embedders.around import AroundEmbedder

_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
_AT_ONCE = 64


class CachedEmbedder(AroundEmbedder):
    """Another embedder with a memory. The file holds vectors of any number of embedders, by their names.

    Vectors are written after every batch, so that what was stopped goes on where it was. `progress` is
    told, after every batch, how many texts of a call are embedded and how many have to be.
    """

    def __init__(
        self, embedder: Embedder, file: Path, progress: Callable[[int, int], None] | None = None
    ) -> None:
        super().__init__(embedder)
        self._progress = progress
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(_SCHEMA)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed_queries`."""
        return self._cached("query", texts, self._embedder.embed_queries)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed_passages`."""
        return self._cached("passage", texts, self._embedder.embed_passages)

    def close(self) -> None:
        """Close the file and the embedder."""
        super().close()
        with self._lock:
            self._db.close()

    def _cached(self, kind: str, texts: Sequence[str], embed: Callable[[Sequence[str]], Vectors]) -> Vectors:
        result = np.zeros((len(texts), self.dimension), dtype=np.float32)
        keys = [self._key(kind, text) for text in texts]
        missing = [place for place, key in enumerate(keys) if not self._read(key, result, place)]
        for start in range(0, len(missing), _AT_ONCE):
            part = missing[start : start + _AT_ONCE]
            result[part] = embed([texts[place] for place in part])
            with self._lock:
                self._db.execute("BEGIN")
                rows = [(keys[place], result[place].tobytes()) for place in part]
                self._db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
                self._db.execute("COMMIT")
            if self._progress:
                self._progress(start + len(part), len(missing))
        return result

    def _read(self, key: bytes, result: Vectors, place: int) -> bool:
        with self._lock:
            row = self._db.execute("SELECT vector FROM vectors WHERE key = ?", [key]).fetchone()
        if row is not None:
            result[place] = np.frombuffer(row[0], dtype=np.float32)
        return row is not None

    def _key(self, kind: str, text: str) -> bytes:
        parts = "\0".join([self.name, kind, text])
        return hashlib.sha256(parts.encode("utf-8", "replace")).digest()
