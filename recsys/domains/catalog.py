"""Any other catalogue: CSV or JSON Lines of items, with or without a file of interactions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from recsys.catalog import Interaction, Item
from recsys.domains.account import Account
from recsys.domains.archives import Member
from recsys.domains.base import Dataset, Edition
from recsys.domains.catalog_columns import Meaning, language_of, meaning
from recsys.domains.layouts import JSON_LINES, TABLES
from recsys.domains.positive import PositiveRule
from recsys.domains.ratings import NO_TIME, UNREADABLE, identity
from recsys.domains.source import Files, Source
from recsys.domains.tables import objects, parse_object, records, rows
from recsys.domains.text import blocks
from recsys.domains.values import clean, clean_title, number, unix_time, without_tags

_ITEMS = "a CSV or JSON Lines file with the columns id and title (and text, domain, language, url, others)"
_DOMAIN_ROWS = 10_000
_BOTH = "beside it one with the columns user and item (and value or rating, time, signal)"


class Catalog(Dataset):
    """Items of any kind; a column that has no meaning here is an attribute.

    An interaction has the signal that its row names, else `rating` where it has a value, else `interaction`.
    All files of items are read; of files with interactions those that say most about them.
    """

    name = "catalog"
    domain = "other"
    positive = "rating of 4 or more where there are ratings, else any interaction"
    rule = PositiveRule(least={"rating": 4.0, "*": None})
    signals = ()
    editions = (
        Edition("items and interactions", expects=f"{_ITEMS}, and {_BOTH}"),
        Edition("items", expects=_ITEMS),
    )

    @classmethod
    def recognise(cls, source: Source) -> tuple[Edition, Files] | None:
        """By the names of the columns."""
        known = [(member, columns(source, member)) for member in source.members]
        acts = [(member, found) for member, found in known if found.has_interactions]
        items = [member for member, found in known if found.has_items and not found.has_interactions]
        items = items or [member for member, found in acts if found.has_items]
        if not items:
            return None
        most = max(
            (found.detail for _, found in acts),
            key=lambda detail: (len(detail), sorted(detail)),
            default=None,
        )
        chosen = tuple(member for member, found in acts if found.detail == most)
        return cls.editions[0 if chosen else 1], {"items": tuple(items), "interactions": chosen}

    def __init__(
        self, source: Source, edition: Edition, files: Files, positive: PositiveRule | None = None
    ) -> None:
        super().__init__(source, edition, files, positive)
        for role in ("items", "interactions"):
            if len(files[role]) > 1:
                places = ", ".join(member.place for member in files[role])
                self._accounts["files"].note(f"{role} are read from {places}")
        self.domain = self._only_domain() or type(self).domain

    def _only_domain(self) -> str:
        """The one domain that the first rows of each file name; empty where there are several."""
        found = set()
        for member in self.files["items"]:
            known = columns(self.source, member)
            for row in islice(self._rows(member, Account()), _DOMAIN_ROWS):
                found.add(clean(known.text(row or {}, "domain")))
        found.discard("")
        return found.pop() if len(found) == 1 else ""

    def _items(self, account: Account) -> Iterator[Item]:
        for member in self.files["items"]:
            known = columns(self.source, member)
            seen: set[str] = set()
            for row in self._rows(member, account):
                try:
                    item_id = identity((row or {}).get(known.columns["id"]))
                except ValueError:
                    account.dropped["item row that cannot be read"] += 1
                    continue
                if known.has_interactions:  # the item is described in each of its rows
                    if item_id in seen:
                        continue
                    seen.add(item_id)
                if item := self._described(account, item_id, row or {}, known):
                    yield item

    def _described(
        self, account: Account, item_id: str, row: Mapping[str, Any], known: Meaning
    ) -> Item | None:
        title = known.text(row, "title")
        return self._item(
            account,
            item_id,
            title,
            text=without_tags(known.text(row, "text")),
            domain=clean(known.text(row, "domain")),
            language=clean(known.text(row, "language")) or language_of(title),
            url=clean(known.text(row, "url")) or None,
            attributes=known.attributes(row),
            titles=_texts(row.get("titles")),
            phrases=_texts(row.get("phrases")),
        )

    def _interactions(self, account: Account) -> Iterator[Interaction]:
        for member in self.files["interactions"]:
            known = columns(self.source, member)
            for row in self._rows(member, account):
                try:
                    yield _interaction(account, row or {}, known)
                except ValueError:
                    account.dropped[UNREADABLE] += 1

    def _rows(self, member: Member, account: Account) -> Iterator[Mapping[str, Any] | None]:
        return self._parsed(member, blocks(member, account))

    def _parsed(self, member: Member, text: Iterator[list[str]]) -> Iterator[Mapping[str, Any] | None]:
        if member.name.endswith(JSON_LINES):
            return objects(chain.from_iterable(text))
        return records(rows(text, delimiter=self.source.delimiter(member)), named=str.strip)


def columns(source: Source, member: Member) -> Meaning:
    """What the columns of a file mean, or the keys of its first objects."""
    if member.name.endswith(JSON_LINES):
        found = [row for line in source.head(member) if (row := parse_object(line))]
        return meaning(dict.fromkeys(name for row in found for name in row))
    return meaning(source.columns(member)) if member.name.endswith(TABLES) else Meaning({})


def _texts(value: Any) -> dict[str, str]:
    """Texts by language, as an item has them."""
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: clean_title(text) for name, text in pairs if isinstance(text, str) and clean_title(text)}


def _interaction(account: Account, row: Mapping[str, Any], known: Meaning) -> Interaction:
    fields = known.columns
    user, item = identity(row.get(fields["user"])), identity(row.get(fields["item"]))
    given = row.get(fields.get("value", ""))
    rated = given is not None and given != ""
    time = None
    if "time" in fields:
        time = unix_time(row.get(fields["time"]))
        account.altered[NO_TIME] += time is None
    signal = clean(known.text(row, "signal")) or ("rating" if rated else "interaction")
    return Interaction(user, item, signal, number(given) if rated else 1.0, time)
