"""Who is recommended to, and what is asked for: a request once everything about it is in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.catalog import Item, ItemRef
from recsys.errors import EmptyRequestError, InputError, TextTooLongError
from recsys.prompts.build import language_of
from recsys.retrieval.catalogs import Catalogs

MAX_INPUT_CHARS = 20_000
"""Characters of history and query together."""

MAX_ITEMS = 100
"""Items in one list of recommendations."""


@dataclass(frozen=True)
class Person:
    """`history` as (catalogue, item), of no catalogue ("") where a title is in none; `titles` as they were
    said; `k` items of `catalog` are wanted, whose domain is `domain`."""

    catalog: str
    domain: str
    history: tuple[tuple[str, Item], ...]
    titles: tuple[str, ...]
    query: str
    k: int

    @classmethod
    def read(
        cls, catalogs: Catalogs, catalog: str, history: Sequence[str | ItemRef], query: str, k: int
    ) -> Person:
        """The person of a request.

        Raises EmptyRequestError, TextTooLongError, InputError, UnknownCatalogError, NotReadyError.
        """
        entries = [entry for entry in history if _title_of(entry)]
        titles = tuple(map(_title_of, entries))
        query = query.strip()
        if not entries and not query:
            raise EmptyRequestError()
        if (length := len(query) + sum(map(len, titles))) > MAX_INPUT_CHARS:
            raise TextTooLongError(what="history or query", length=length, limit=MAX_INPUT_CHARS)
        if not 1 <= k <= MAX_ITEMS:
            raise InputError(reason=f"k is {k}; between 1 and {MAX_ITEMS} items can be asked for.")
        row = catalogs.searchable(catalog)
        return cls(catalog, row.domain, _found(catalogs, entries, catalog), titles, query, k)

    def language(self, wanted: str) -> str:
        """`wanted`, or where that is "auto" the language of the query or the titles."""
        return language_of(self.query or " ".join(self.titles)) if wanted == "auto" else wanted


def _found(catalogs: Catalogs, entries: Sequence[str | ItemRef], prefer: str) -> tuple[tuple[str, Item], ...]:
    """(catalogue, item) of each entry: items where they are, titles where `Catalogs.find` says."""
    known = {
        position: (entry.catalog, items[entry.id])
        for position, entry in enumerate(entries)
        if isinstance(entry, ItemRef)
        and entry.catalog
        and entry.id in (items := catalogs.store.get(entry.catalog, [entry.id]))
    }
    titles = [_title_of(entry) for position, entry in enumerate(entries) if position not in known]
    by_title = iter(catalogs.find(titles, prefer=prefer))
    return tuple(known.get(position) or next(by_title) for position in range(len(entries)))


def _title_of(entry: str | ItemRef) -> str:
    return ((entry.title or entry.id) if isinstance(entry, ItemRef) else entry).strip()
