"""Anime from MyAnimeList: the Kaggle editions of 2016 and 2020."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from recsys.catalog import Attribute, Interaction, Item
from recsys.domains.account import Account
from recsys.domains.base import Dataset, Edition
from recsys.domains.layouts import table
from recsys.domains.positive import PositiveRule
from recsys.domains.ratings import header_columns, read_ratings
from recsys.domains.tables import records
from recsys.domains.values import clean

_UNKNOWN = frozenset(("", "unknown", "nan", "none"))
_PLANNED = "6"
"""The watching status of what somebody means to watch, in `animelist.csv`."""


class Anime(Dataset):
    """Series and films with genres, of 2020 with a synopsis; ratings of one to ten. No times.

    `rating_complete.csv` of 2020 is preferred to `animelist.csv`, which also has what was not finished.
    """

    name = "anime"
    domain = "anime"
    positive = "rating of 8 or more"
    rule = PositiveRule(least={"rating": 8.0})
    signals = ("rating", "watch", "plan")
    editions = (
        Edition(
            "2020",
            {
                "ratings": table("rating_complete.csv", "user_id", "anime_id", "rating"),
                "anime": table("anime.csv", "MAL_ID", "Name", "Type"),
                "synopses": table("anime_with_synopsis.csv", "MAL_ID", "sypnopsis|synopsis", needed=False),
            },
        ),
        Edition(
            "2016",
            {
                "ratings": table("rating.csv", "user_id", "anime_id", "rating"),
                "anime": table("anime.csv", "anime_id", "name"),
            },
        ),
    )

    def _items(self, account: Account) -> Iterator[Item]:
        synopses = self._synopses(account)
        for row in records(self.table("anime", account)):
            identity = row and (row.get("malid") or row.get("animeid") or "").strip()
            if not row or not identity:
                account.dropped["anime row that cannot be read"] += 1
            elif item := self._item(
                account,
                identity,
                row.get("name", ""),
                text=synopses.get(identity, ""),
                attributes=_attributes(row),
            ):
                yield item

    def _interactions(self, account: Account) -> Iterator[Interaction]:
        """Ratings; without one (-1, or 0 of 2020) they are `watch`, or `plan` where the status says so."""
        rows = islice(self.table("ratings", account), 1, None)
        names = self.source.keys(self.file("ratings"))
        columns = header_columns(names, item="animeid", signal="watchingstatus")
        for row in read_ratings(rows, columns, account):
            if row.value > 0:
                yield row if row.signal == "rating" else replace(row, signal="rating")
            else:
                yield Interaction(row.user, row.item, "plan" if row.signal == _PLANNED else "watch")

    def _synopses(self, account: Account) -> dict[str, str]:
        if "synopses" not in self.files:
            return {}
        found = {}
        for row in records(self.table("synopses", account)):
            if row is None:
                account.dropped["synopsis row that cannot be read"] += 1
                continue
            text = row.get("sypnopsis") or row.get("synopsis") or ""  # the misspelling is theirs
            if not text.startswith("No synopsis"):
                found[row.get("malid", "").strip()] = text
        return found


def _attributes(row: Mapping[str, str]) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {}
    genres = [clean(genre) for genre in (row.get("genre") or row.get("genres") or "").split(",")]
    if known := [genre for genre in genres if genre.lower() not in _UNKNOWN]:
        attributes["genres"] = known
    for column, label in (("type", "type"), ("englishname", "English name"), ("studios", "studios")):
        if (value := clean(row.get(column) or "")).lower() not in _UNKNOWN:
            attributes[label] = value
    if (episodes := (row.get("episodes") or "").strip()).isdecimal():
        attributes["episodes"] = int(episodes)
    return attributes
