"""The catalogues that can be recommended from: items, their index, and how far indexing has come."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from recsys.catalog import MAX_TITLE_CHARS, Item
from recsys.demos import load_demos
from recsys.domains.recognise import recognise
from recsys.domains.registry import open_dataset
from recsys.domains.sources import SourceFolder
from recsys.errors import IndexInUseError, IndexMismatchError, InputError, NotReadyError, ZeroshelfError
from recsys.retrieval.catalog_files import CatalogReader
from recsys.retrieval.catalog_rows import RowProblem
from recsys.retrieval.collection import Hit
from recsys.retrieval.embedders import Embedder, Vectors
from recsys.retrieval.embedders.choice import default_embedder, open_embedder
from recsys.retrieval.index import VectorIndex
from recsys.retrieval.indexing import Indexer, IndexState
from recsys.retrieval.item_store import CatalogRow, ItemStore
from recsys.retrieval.ranker import CatalogRanker
from recsys.settings import Paths, Settings

_RANKERS = 4
"""Catalogues held in memory; the least recently used makes room for another."""
_AT_ONCE = 5_000
"""Items of a catalogue that is read into memory while its first query waits."""
_NAME = re.compile(r"[\w][\w .-]{0,62}[\w]|\w")


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far indexing has come, in items of all demo catalogues; `error` when it has stopped for one."""

    done: int
    total: int
    error: ZeroshelfError | None = None

    @property
    def finished(self) -> bool:
        """Whether every catalogue can be searched."""
        return self.done >= self.total


@dataclass(frozen=True, slots=True)
class Stored:
    """A catalogue that was stored, not indexed yet: `problems` are the first of the `bad_rows` left out, and
    `notes` what else there is to say of the file."""

    row: CatalogRow
    problems: tuple[RowProblem, ...] = ()
    bad_rows: int = 0
    notes: tuple[str, ...] = ()


class Catalogs:
    """Item store, embedder and vector index under one home folder.

    For one process at a time, but where the index is on a Chroma server (`chroma`, its URL): then several
    may share the folder.
    """

    def __init__(self, paths: Paths, embedder: Embedder | None = None, *, chroma: str = "") -> None:
        folder = paths.index
        self._in_use = None if chroma else FileLock(folder / "in-use.lock")
        try:
            if self._in_use:
                self._in_use.acquire(timeout=0)
        except Timeout as error:
            raise IndexInUseError(path=paths.home) from error
        self.store = ItemStore(folder / "items.db")
        self.embedder: Embedder = embedder or default_embedder()
        try:
            self.index = VectorIndex(folder, self.embedder, url=chroma, owner=self.store.owner)
        except ZeroshelfError:
            self._release()
            raise
        self.indexer = Indexer(self.store, self.index, self.embedder, folder)
        self._ranking = threading.Lock()
        self._rankers: OrderedDict[str, tuple[object, CatalogRanker | None]] = OrderedDict()
        self._preparing: threading.Thread | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Catalogs:
        """With the embedder and the Chroma server that the settings name.

        Raises IndexInUseError, IndexServerError, UnknownEmbedderError, ServerNameError, EmbedderError.
        """
        embedder = open_embedder(settings)
        try:
            return cls(settings.paths, embedder, chroma=settings.chroma)
        except ZeroshelfError:
            embedder.close()
            raise

    @property
    def progress(self) -> IndexProgress:
        """How far the demo catalogues are indexed."""
        demos = [row for row in self.store.catalogs() if row.name in load_demos()]
        states = [self.indexer.state(row) for row in demos]
        error = next((state.error for state in states if state.error), None)
        return IndexProgress(sum(s.done for s in states), sum(s.total for s in states), error)

    def prepare_demos(self, *, others: bool = False) -> None:
        """Store the demo catalogues and index what is not indexed yet, in the background.

        With `others`, go on with the catalogues whose indexing was cut off, too.
        """
        self._preparing = threading.Thread(target=self._prepare, args=[others], name="demos", daemon=True)
        self._preparing.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the demo catalogues are indexed; raises what stopped the indexing."""
        if self._preparing:
            self._preparing.join(timeout)
        self.indexer.wait(load_demos(), timeout)

    def list(self) -> list[CatalogRow]:
        """All catalogues; one whose `indexed_by` is empty is still being indexed."""
        return self.store.catalogs()

    def add(self, name: str, domain: str, file: Path, *, skip_bad_rows: bool = False) -> CatalogRow:
        """Read a catalogue file, store and index it. Raises CatalogFileError, InputError."""
        self.put_file(name, domain, file, skip_bad_rows=skip_bad_rows)
        return self.index_catalog(name)

    def put_file(self, name: str, domain: str, file: Path, *, skip_bad_rows: bool = False) -> Stored:
        """Store a catalogue file's items under `name`, in place of those that were there.

        A bad row raises CatalogFileError and changes nothing, or is left out and told. Raises InputError for
        a name that cannot be used.
        """
        _check_name(name)
        reader = CatalogReader(file, domain.strip() or "other")
        items = reader.items(skip_bad_rows=skip_bad_rows)
        row = self.store.put(name, domain.strip() or "other", "", items)
        return Stored(row, tuple(reader.problems), reader.bad_rows, reader.notes)

    def put_dataset(self, name: str, dataset: str, path: Path) -> Stored:
        """Store the items of a public dataset under `name`; what was dropped is in the notes.

        Raises what `open_dataset` raises, and InputError for a name that cannot be used.
        """
        _check_name(name)
        found = open_dataset(dataset, path)
        row = self.store.put(name, found.domain, "", found.items())
        dropped = (f"{reason}: {count:,}" for reason, count in found.dropped.items())
        return Stored(row, notes=(*dropped, *found.notes))

    def put_source(self, name: str, sources: SourceFolder, source: str, dataset: str = "") -> Stored:
        """Store the items of one of `sources` under `name` (by default its own); `dataset` is recognised
        where it is empty. Raises InputError, and what `put_dataset` raises."""
        path = sources.path(source)
        wanted = dataset or recognise(path).dataset
        if not wanted:
            raise InputError(reason=f"{source} is no dataset that is known.")
        return self.put_dataset(name or source, wanted, path)

    def delete(self, name: str) -> None:
        """Remove a catalogue and its index. Raises UnknownCatalogError, and InputError for a demo."""
        if name in load_demos():
            raise InputError(reason=f"{name!r} is a demo catalogue and stays.")
        self.indexer.remove(name)
        self._forget_ranker(name)

    def index_catalog(self, name: str, progress: Callable[[int], None] | None = None) -> CatalogRow:
        """Embed what is new or changed in a catalogue and drop what is gone; all of it for another embedder.

        What was stopped or killed goes on with the items that are missing. Meanwhile the catalogue can be
        searched in what is there. `progress` is called with the number of items done since the last call.
        Raises UnknownCatalogError.
        """
        row = self.indexer.run(name, progress)
        self._forget_ranker(name)
        return row

    def state(self, name: str) -> IndexState:
        """How far the indexing of a catalogue is. Raises UnknownCatalogError."""
        return self.indexer.state(self.store.catalog(name))

    def searchable(self, name: str) -> CatalogRow:
        """The catalogue, if it can be searched: a demo once it is whole, others in what is indexed of them.

        Raises UnknownCatalogError, NotReadyError, and IndexMismatchError for another embedder's.
        """
        row = self.store.catalog(name)
        if self.embedder.loading:
            raise NotReadyError(what="The embedder, which is being loaded,")
        settings = self.indexer.settings
        if row.indexed_by == settings:
            return row
        under = self.store.indexed_under(name)
        others = {row.indexed_by, *under} - {"", settings}
        if others and not self.indexer.busy(name):
            raise IndexMismatchError(name=name, found=sorted(others)[0], wanted=settings)
        if others or not under.get(settings) or name in load_demos():
            raise NotReadyError(what=f"The catalogue {name}, which is being indexed,")
        return row

    def _forget_ranker(self, name: str) -> None:
        with self._ranking:
            self._rankers.pop(name, None)

    def search(
        self, catalog: str, vector: Vectors, k: int, exclude: frozenset[str] = frozenset()
    ) -> Sequence[tuple[Item, Hit]]:
        """The `k` items nearest to `vector`, best first, with their best chunks."""
        hits = self.index.search(catalog, vector, k, exclude)
        items = self.store.get(catalog, (hit.item_id for hit in hits))
        return [(items[hit.item_id], hit) for hit in hits if hit.item_id in items]

    def ranker(self, catalog: str) -> CatalogRanker | None:
        """The catalogue in memory for ranking every item, kept until it changes.

        None where it is too large or not wholly indexed (see `VectorIndex.matrix`), and while a catalogue of
        more than 5,000 items is being read in the background, which the first call begins.
        """
        row = self.store.catalog(catalog)
        if row.indexed_by != self.indexer.settings:
            return None
        version = (row.fingerprint, row.version)
        with self._ranking:
            known = self._rankers.get(catalog)
            if known is None or known[0] != version:
                known = (version, None)
                if row.items <= _AT_ONCE:
                    known = (version, self._make_ranker(catalog))
                self._rankers[catalog] = known
                if row.items > _AT_ONCE:
                    arguments = (catalog, version)
                    threading.Thread(target=self._read, args=arguments, name="ranker", daemon=True).start()
            self._rankers.move_to_end(catalog)
            while len(self._rankers) > _RANKERS:
                self._rankers.popitem(last=False)
            return known[1]

    def _make_ranker(self, catalog: str) -> CatalogRanker | None:
        items = list(self.store.items(catalog))
        matrix = self.index.matrix(catalog, [item.id for item in items])
        return CatalogRanker(items, matrix) if matrix else None

    def _read(self, catalog: str, version: object) -> None:
        """In the background: the ranker with all that its first use would otherwise wait for."""
        try:
            ranker = self._make_ranker(catalog)
            if ranker is not None:
                ranker.prepare()
        except (ZeroshelfError, sqlite3.ProgrammingError):  # deleted meanwhile, or the app is being closed
            return
        with self._ranking:
            if self._rankers.get(catalog) == (version, None):
                self._rankers[catalog] = (version, ranker)

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
        if self._preparing:
            self._preparing.join()
        self.embedder.close()  # a model that is still being loaded is not waited for
        self.indexer.close()
        self._release()

    def _release(self) -> None:
        self.store.close()
        if self._in_use:
            self._in_use.release()

    def _prepare(self, others: bool) -> None:
        demos = load_demos()
        for name, demo in demos.items():
            items = list(demo.items.values())
            self.store.put(name, name, items[0].language, items)
        rest = [row.name for row in self.store.catalogs() if row.name not in demos and not row.stopped]
        for name in (*demos, *(rest if others else ())):
            if name in demos or self.store.pending(name, 1):
                self.indexer.start(name)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(
            reason=f"{name!r} cannot name a catalogue. "
            "Use letters, digits, spaces, '.', '_' and '-', at most 64 characters."
        )
    if name in load_demos():
        raise InputError(reason=f"{name!r} is a demo catalogue. Choose another name.")


def _typed(title: str) -> str:
    """What somebody typed, as a title that an `Item` takes."""
    return title.encode("utf-8", "replace").decode("utf-8")[:MAX_TITLE_CHARS]
