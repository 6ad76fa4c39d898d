"""The items that an answer names: which of them exist, and in which catalogue."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from recsys.catalog import Item
from recsys.retrieval.answer_text import NamedTitle, named_titles
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.titles import TitleMatcher

MAX_MENTIONS = 12
"""Names of one answer that are looked up."""

_OTHER_ITEMS = 50_000
"""Catalogues with more items are only searched when they are the ones asked for."""
_MATCHERS = 12


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in an answer, from `start` to `end`. `catalog` and `item` are what it means; None: nothing.

    `known` says that the item is in the person's history already.
    """

    name: str
    start: int
    end: int
    catalog: str = ""
    item: Item | None = None
    known: bool = False


@dataclass(frozen=True)
class _Titles:
    items: tuple[Item, ...]
    matcher: TitleMatcher


class MentionFinder:
    """Finds names in all catalogues, the one that was recommended from first. Safe for several threads.

    The titles of a catalogue are held in memory from the first look until it changes; at most twelve
    catalogues are held.
    """

    def __init__(self, catalogs: Catalogs) -> None:
        self._catalogs = catalogs
        self._held: OrderedDict[str, tuple[str, _Titles]] = OrderedDict()
        self._lock = threading.Lock()

    def find(
        self, answer: str, target: str, history: Sequence[tuple[str, Item]] = (), query: str = ""
    ) -> tuple[Mention, ...]:
        """The names in `answer`, in order, each item and each unknown name once.

        `history` holds (catalogue, item); those catalogues come after the target and before the others.
        Words that the answer only quotes from the `query` are no names, unless they are a title.
        """
        if not answer:
            return ()
        order = self._order(target, [catalog for catalog, _ in history])
        known = {(catalog, item.id) for catalog, item in history}
        mentions: list[Mention] = []
        for catalog in order:
            titles = self._titles(catalog)
            for hit in titles.matcher.named_in(answer):
                if not _overlaps(hit.start, hit.end, mentions):
                    item = titles.items[hit.position]
                    name = answer[hit.start : hit.end]
                    again = (catalog, item.id) in known
                    mentions.append(Mention(name, hit.start, hit.end, catalog, item, again))
        for named in named_titles(answer):
            if not _overlaps(named.start, named.end, mentions):
                mention = self._looked_up(named, order, known)
                if mention.item or (named.sure and named.name.casefold() not in query.casefold()):
                    mentions.append(mention)
        return _distinct(sorted(mentions, key=lambda mention: mention.start))[:MAX_MENTIONS]

    def _looked_up(self, named: NamedTitle, order: Sequence[str], known: set[tuple[str, str]]) -> Mention:
        for catalog in order:
            titles = self._titles(catalog)
            position = titles.matcher.match(named.name)
            if position is not None:
                item = titles.items[position]
                return Mention(named.name, named.start, named.end, catalog, item, (catalog, item.id) in known)
        return Mention(named.name, named.start, named.end)

    def _order(self, target: str, others: Sequence[str]) -> list[str]:
        rows = {row.name: row for row in self._catalogs.list() if row.indexed_by}
        asked = [name for name in dict.fromkeys([target, *others]) if name in rows]
        rest = [name for name, row in rows.items() if row.items <= _OTHER_ITEMS and name not in asked]
        return [*asked, *rest]

    def _titles(self, catalog: str) -> _Titles:
        fingerprint = self._catalogs.store.catalog(catalog).fingerprint
        with self._lock:
            held = self._held.get(catalog)
            if held is None or held[0] != fingerprint:
                items = tuple(self._catalogs.store.items(catalog))
                held = (fingerprint, _Titles(items, TitleMatcher(items)))
                self._held[catalog] = held
            self._held.move_to_end(catalog)
            while len(self._held) > _MATCHERS:
                self._held.popitem(last=False)
            return held[1]


def _overlaps(start: int, end: int, mentions: Sequence[Mention]) -> bool:
    return any(start < mention.end and mention.start < end for mention in mentions)


def _distinct(mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    seen: dict[tuple[str, str], Mention] = {}
    for mention in mentions:
        key = (mention.catalog, mention.item.id) if mention.item else ("", mention.name.casefold())
        seen.setdefault(key, mention)
    return tuple(seen.values())
