"""Embedding what a catalogue holds: with progress, stoppable, and from where it was after a kill."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from chromadb.api.models.Collection import Collection as ChromaCollection
from chromadb.errors import ChromaError
from filelock import FileLock, Timeout

from recsys.errors import DataError, IndexMismatchError, UnknownCatalogError, ZeroshelfError
from recsys.retrieval.chunks import MAX_TOKENS, MIN_TOKENS, Chunker
from recsys.retrieval.embedders import Embedder
from recsys.retrieval.index import VectorIndex
from recsys.retrieval.item_store import CatalogRow, ItemStore

_log = logging.getLogger(__name__)

_ITEMS_AT_ONCE = 16
_STALE_AT_ONCE = 500
_LOCK_POLL_S = 0.2

State = Literal["ready", "waiting", "indexing", "stopped", "failed", "outdated"]


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far a catalogue is. `outdated`: it was indexed by another embedder, and cannot be searched until it
    is indexed again. `per_s` items a second, 0 where that is not known yet."""

    state: State
    done: int
    total: int
    per_s: float = 0.0
    error: ZeroshelfError | None = None

    @property
    def eta_s(self) -> float | None:
        """Seconds until it is done, where that can be told."""
        if self.state != "indexing" or not self.per_s:
            return None
        return (self.total - self.done) / self.per_s


@dataclass
class _Run:
    """One catalogue that is being indexed, or waits for another process or thread that does."""

    stop: threading.Event = field(default_factory=threading.Event)
    active: bool = False
    done: int = 0
    new: int = 0
    since: float = 0.0


class Indexer:
    """Indexes one catalogue at a time in the background, and any other in the thread of whoever calls `run`.

    A lock file in `folder` sees to it that one catalogue is indexed by one process and thread at a time.
    """

    def __init__(self, store: ItemStore, index: VectorIndex, embedder: Embedder, folder: Path) -> None:
        self._store = store
        self._index = index
        self._embedder = embedder
        self._folder = folder
        self._chunker = Chunker(embedder.count_tokens)
        self._changed = threading.Condition()
        self._runs: dict[str, list[_Run]] = {}
        self._errors: dict[str, ZeroshelfError] = {}
        self._queue: list[str] = []
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def settings(self) -> str:
        """What decides an item's vectors, as the store records it."""
        return f"{self._embedder.name} chunks {MIN_TOKENS}-{MAX_TOKENS}"

    def start(self, name: str) -> None:
        """Index a catalogue in the background; of those that wait, the smallest goes first.

        Raises UnknownCatalogError.
        """
        self._store.catalog(name)
        self._store.set_stopped(name, False)
        with self._changed:
            self._errors.pop(name, None)
            if name in self._queue or name in self._runs or self._closed:
                return
            self._queue.append(name)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="index", daemon=True)
                self._thread.start()

    def stop(self, name: str) -> None:
        """Let the indexing of a catalogue end after the items in work, until `start` or `run` goes on.

        Raises UnknownCatalogError.
        """
        self._store.catalog(name)
        self._store.set_stopped(name, True)
        self._end(name)

    def run(self, name: str, progress: Callable[[int], None] | None = None) -> CatalogRow:
        """Index a catalogue now; see `Catalogs.index_catalog`."""
        self._store.catalog(name)
        self._store.set_stopped(name, False)
        with self._changed:
            run = self._begin(name)
        return self._do(name, run, progress)

    def busy(self, name: str) -> bool:
        """Whether a catalogue is being indexed, or will be without anybody's doing."""
        with self._changed:
            return name in self._queue or name in self._runs

    def wait(self, names: Collection[str], timeout: float | None = None) -> None:
        """Wait until none of `names` is being indexed; raises what stopped one of them."""
        with self._changed:
            self._changed.wait_for(
                lambda: not any(name in self._queue or name in self._runs for name in names), timeout
            )
            error = next((self._errors[name] for name in names if name in self._errors), None)
        if error is not None:
            raise error

    def state(self, row: CatalogRow) -> IndexState:
        """How far a catalogue is."""
        with self._changed:
            runs = self._runs.get(row.name, [])
            run = next((run for run in runs if run.active), None)
            waiting, error = bool(runs) or row.name in self._queue, self._errors.get(row.name)
        if run is not None:
            per_s = run.new / max(time.monotonic() - run.since, 1e-3)
            return IndexState("indexing", min(run.done, row.items), row.items, per_s)
        under = self._store.indexed_under(row.name)
        done = sum(count for by, count in under.items() if by)
        if error is not None:
            return IndexState("failed", done, row.items, error=error)
        if waiting or self._embedder.loading:
            return IndexState("waiting", done, row.items)
        try:
            settings = self.settings
        except ZeroshelfError as unusable:
            return IndexState("failed", done, row.items, error=unusable)
        if set(under) - {"", settings}:
            return IndexState("outdated", 0, row.items)
        whole = row.indexed_by == settings and done == row.items
        return IndexState("ready" if whole else "stopped", done, row.items)

    def remove(self, name: str) -> None:
        """Stop the indexing of a catalogue, and delete it and its collection. Raises UnknownCatalogError."""
        self._store.catalog(name)
        self._end(name)
        with self._lock(name):
            self._index.delete(name)  # first: without the store nobody would know that it is left over
            self._store.delete(name)
        with self._changed:
            self._errors.pop(name, None)

    def close(self) -> None:
        """Stop everything; what was not finished goes on at the next start."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            for run in (run for runs in self._runs.values() for run in runs):
                run.stop.set()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        """The background thread: what is in the queue, until it is empty."""
        while True:
            sizes = self._sizes()
            with self._changed:
                if not self._queue:
                    self._thread = None
                    return
                name = min(self._queue, key=lambda queued: sizes.get(queued, 0))
                self._queue.remove(name)
                run = self._begin(name)
            try:
                self._do(name, run, None)
            except UnknownCatalogError:
                continue  # deleted meanwhile
            except ZeroshelfError as error:
                _log.error("%s", error)

    def _sizes(self) -> dict[str, int]:
        try:
            return {row.name: row.items for row in self._store.catalogs()}
        except (sqlite3.Error, ZeroshelfError):
            return {}  # then in the order in which they came

    def _begin(self, name: str) -> _Run:
        run = _Run()
        self._errors.pop(name, None)
        self._runs.setdefault(name, []).append(run)
        return run

    def _end(self, name: str) -> None:
        with self._changed:
            if name in self._queue:
                self._queue.remove(name)
            for run in self._runs.get(name, []):
                run.stop.set()
            self._changed.notify_all()

    def _do(self, name: str, run: _Run, progress: Callable[[int], None] | None) -> CatalogRow:
        """Index once nobody else does. What stops it is kept for `state` and `wait`."""
        try:
            while not run.stop.is_set():
                try:
                    with self._lock(name).acquire(timeout=_LOCK_POLL_S):
                        return self._embed(name, run, progress)
                except Timeout:
                    continue
            return self._store.catalog(name)
        except UnknownCatalogError:
            raise
        except ZeroshelfError as error:
            self._errors[name] = error
            raise
        except (sqlite3.Error, ChromaError, OSError) as error:
            _log.exception("indexing %s", name)
            self._errors[name] = DataError(reason=f"Indexing {name!r} ended: {error!r}.")
            raise self._errors[name] from error
        finally:
            with self._changed:
                self._runs[name].remove(run)
                if not self._runs[name]:
                    del self._runs[name]
                self._changed.notify_all()

    def _embed(self, name: str, run: _Run, progress: Callable[[int], None] | None) -> CatalogRow:
        settings = self.settings
        under = self._store.indexed_under(name)
        collection = self._own_collection(name)
        if not under.get(settings) or set(under) - {"", settings} or collection is None:
            self._store.forget_index(name)
            collection = self._index.create(name)
            under = {}
        run.done, run.since, run.active = under.get(settings, 0), time.monotonic(), True
        if progress and run.done:
            progress(run.done)
        while True:
            if stale := self._store.stale(name, _STALE_AT_ONCE):
                self._index.remove(collection, stale)
                self._store.clear_stale(name, stale)
                continue
            part = self._store.pending(name, _ITEMS_AT_ONCE)
            if not part:
                break
            if run.stop.is_set():
                return self._store.catalog(name)
            pieces = {item.id: self._chunker.chunks(item) for item in part}
            self._index.add(collection, [chunk for chunks in pieces.values() for chunk in chunks])
            self._store.mark_items(name, {i: len(chunks) for i, chunks in pieces.items()}, settings)
            run.done += len(part)
            run.new += len(part)
            if progress:
                progress(len(part))
        self._store.mark_indexed(name, settings)
        return self._store.catalog(name)

    def _own_collection(self, name: str) -> ChromaCollection | None:
        try:
            return self._index.collection(name)
        except IndexMismatchError:
            return None

    def _lock(self, name: str) -> FileLock:
        digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]
        return FileLock(self._folder / f"indexing-{digest}.lock")
