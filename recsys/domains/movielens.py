"""MovieLens: the csv editions (latest, 20M, 25M, 32M), 10M, 1M and 100K."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from recsys.catalog import Attribute, Interaction, Item
from recsys.domains.account import Account
from recsys.domains.base import Dataset, Edition
from recsys.domains.layouts import separated, table
from recsys.domains.positive import PositiveRule
from recsys.domains.ratings import Columns, header_columns, read_ratings
from recsys.domains.source import Files, Source
from recsys.domains.tables import Row, records
from recsys.domains.text import lines
from recsys.domains.values import clean, unmove_article

_YEAR = re.compile(r"\s*\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*$")
_ALIAS = re.compile(r"\s*\((?:a\.k\.a\. )?([^()]+)\)$")
_NO_GENRES = ("", "(no genres listed)", "unknown")
_NATIVE = "Windows-1252"
_GENRES_100K = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
_DAT = {
    "ratings": separated("ratings.dat", r"ratings.*\.dat", "::", r"\d+", 4),
    "movies": separated("movies.dat", r"movies.*\.dat", "::", r"\d+", 3),
}


class MovieLens(Dataset):
    """Films with genres and a year; ratings of half a star to five, with times."""

    name = "movielens"
    domain = "films"
    positive = "rating of 4 or more"
    rule = PositiveRule(least={"rating": 4.0})
    editions = (
        Edition(
            "csv",
            {
                "ratings": table("ratings.csv", "userId", "movieId", "rating"),
                "movies": table("movies.csv", "movieId", "title"),
            },
        ),
        Edition("10M", _DAT),
        Edition("1M", _DAT),
        Edition(
            "100K",
            {
                "ratings": separated("u.data", r"u\.data", "\t", r"\d+", 4),
                "movies": separated("u.item", r"u\.item", "|", r"\d+", 5),
            },
        ),
    )

    @classmethod
    def recognise(cls, source: Source) -> tuple[Edition, Files] | None:
        """1M and 10M have the same files; only the later one has half stars."""
        known = super().recognise(source)
        if known is None or known[0].name != "10M":
            return known
        _, files = known
        halves = any(".5::" in line for line in lines(files["ratings"][0], Account()))
        return cls.editions[1 if halves else 2], files

    def _interactions(self, account: Account) -> Iterator[Interaction]:
        rows = self._rows("ratings", account)
        if self.edition != "csv":
            return read_ratings(rows, Columns(user=0, item=1, value=2, time=3), account)
        columns = header_columns(self.source.keys(self.file("ratings")), item="movieid")
        return read_ratings(islice(rows, 1, None), columns, account)

    def _rows(self, role: str, account: Account) -> Iterator[Row | None]:
        if self.edition == "csv":
            return self.table(role, account)
        separator = "::" if self.edition != "100K" else "\t" if role == "ratings" else "|"
        return (
            line.split(separator) for line in lines(self.file(role), account, native=_NATIVE) if line.strip()
        )

    def _items(self, account: Account) -> Iterator[Item]:
        rows = self._rows("movies", account)
        films = (
            _by_name(rows) if self.edition == "csv" else _flagged(rows) if self.edition == "100K" else rows
        )
        for row in films:
            if row is None or len(row) < 3 or not row[0].strip().isdigit():
                account.dropped["film row that cannot be read"] += 1
            elif item := self._film(account, row[0].strip(), row[1], row[2].split("|")):
                yield item

    def _film(self, account: Account, identity: str, title: str, genres: list[str]) -> Item | None:
        attributes: dict[str, Attribute] = {}
        title = clean(title)
        if (year := _YEAR.search(title)) and year.start():
            attributes["year"] = int(year[1])
            title = title[: year.start()]
        if known := [genre for genre in map(clean, genres) if genre not in _NO_GENRES]:
            attributes["genres"] = known
        aliases: list[str] = []
        while (match := _ALIAS.search(title)) and match.start():
            aliases.insert(0, unmove_article(match[1]))
            title = title[: match.start()]
        if aliases:
            attributes["also known as"] = aliases
        return self._item(account, identity, unmove_article(title), attributes=attributes)


def _by_name(rows: Iterator[Row | None]) -> Iterator[Row | None]:
    """Rows of the csv editions as id, title and genres."""
    for record in records(rows):
        yield None if record is None else [record.get(name, "") for name in ("movieid", "title", "genres")]


def _flagged(rows: Iterator[Row | None]) -> Iterator[Row | None]:
    """Rows of the 100K edition as those of the others: its genres are columns of 0 and 1."""
    for row in rows:
        if row and len(row) >= 5:
            genres = [
                genre for genre, flag in zip(_GENRES_100K, row[5:], strict=False) if flag.strip() == "1"
            ]
            yield [row[0], row[1], "|".join(genres)]
        else:
            yield None
