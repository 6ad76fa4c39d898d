"""MovieLens: the csv editions (latest, 20M, 25M, 32M), 1M and 100K."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from recsys.catalog import Attribute, Interaction, Item
from recsys.domains.base import Dataset, Edition, clean_title, number, unix_time, unmove_article
from recsys.domains.source import Member, Source

_YEAR = re.compile(r"\s*\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*$")
_ALIAS = re.compile(r"\s*\((?:a\.k\.a\. )?([^()]+)\)$")
_GENRES_100K = [
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
]


class MovieLens(Dataset):
    """Films with genres and a year; ratings of half a star to five, with times."""

    name = "movielens"
    domain = "films"
    positive = "rating of 4 or more"
    editions = (
        Edition("csv", {"ratings": r"ratings\.csv", "movies": r"movies\.csv"}),
        Edition("1M", {"ratings": r"ratings\.dat", "movies": r"movies\.dat"}),
        Edition("100K", {"ratings": r"u\.data", "movies": r"u\.item"}),
    )

    @classmethod
    def _recognises(cls, source: Source, edition: Edition, files: Mapping[str, Member]) -> bool:
        if edition.name != "csv":
            return True
        return source.header(files["ratings"])[:3] == ["userid", "movieid", "rating"]

    def items(self) -> Iterator[Item]:
        """Films, with articles where they belong and the year as an attribute."""
        seen: set[str] = set()
        for identity, title, genres in self._movies():
            if identity in seen:
                self.dropped["item twice"] += 1
                continue
            item = _film(identity, title, genres)
            if item is None:
                self.dropped["item without title"] += 1
                continue
            seen.add(identity)
            yield item

    def interactions(self) -> Iterator[Interaction]:
        """Ratings."""
        return self._once(self._ratings())

    def is_positive(self, interaction: Interaction) -> bool:
        """See `positive`."""
        return interaction.value >= 4

    def _ratings(self) -> Iterator[Interaction]:
        for fields in self._fields("ratings"):
            try:
                user, item, rating, time = fields[:4]
                yield Interaction(user.strip(), item.strip(), "rating", number(rating), unix_time(time))
            except ValueError:
                self.dropped["rating row that cannot be read"] += 1

    def _movies(self) -> Iterator[tuple[str, str, list[str]]]:
        for fields in self._fields("movies"):
            if len(fields) < 3 or not fields[0].strip().isdigit():
                self.dropped["film row that cannot be read"] += 1
            elif self.edition == "100K":
                flags = fields[5:]
                genres = [genre for genre, flag in zip(_GENRES_100K, flags, strict=False) if flag == "1"]
                yield fields[0].strip(), fields[1], genres
            else:
                yield fields[0].strip(), fields[1], fields[2].split("|")

    def _fields(self, role: str) -> Iterator[list[str]]:
        member = self.files[role]
        if self.edition == "csv":
            rows = self.source.rows(member)
            next(rows, None)
            return rows
        separator = "::" if self.edition == "1M" else "\t" if role == "ratings" else "|"
        return (line.split(separator) for line in self.source.lines(member, "latin-1") if line.strip())


def _film(identity: str, title: str, genres: list[str]) -> Item | None:
    attributes: dict[str, Attribute] = {}
    if year := _YEAR.search(title):
        attributes["year"] = int(year[1])
        title = title[: year.start()]
    if known := [genre for genre in genres if genre and genre not in ("(no genres listed)", "unknown")]:
        attributes["genres"] = known
    title = clean_title(title)
    aliases: list[str] = []
    while (match := _ALIAS.search(title)) and match.start():
        aliases.insert(0, unmove_article(match[1]))
        title = title[: match.start()]
    title = unmove_article(title)
    if not title:
        return None
    if aliases:
        attributes["also known as"] = aliases
    return Item(id=identity, title=title, domain=MovieLens.domain, attributes=attributes)
