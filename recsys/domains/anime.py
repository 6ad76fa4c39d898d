"""Anime from MyAnimeList: the Kaggle editions of 2016 and 2020."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from recsys.catalog import Attribute, Interaction, Item
from recsys.domains.base import Dataset, Edition, clean, clean_title, number
from recsys.domains.source import Member, Source

_UNKNOWN = frozenset(("", "unknown", "nan"))


class Anime(Dataset):
    """Series and films with genres, of 2020 with a synopsis; ratings of one to ten. No times."""

    name = "anime"
    domain = "anime"
    positive = "rating of 8 or more"
    editions = (
        Edition(
            "2020",
            {"ratings": r"(rating_complete|animelist)\.csv", "anime": r"anime\.csv"},
            {"synopses": r"anime_with_synopsis\.csv"},
        ),
        Edition("2016", {"ratings": r"rating\.csv", "anime": r"anime\.csv"}),
    )

    @classmethod
    def _recognises(cls, source: Source, edition: Edition, files: Mapping[str, Member]) -> bool:
        return ("mal_id" if edition.name == "2020" else "anime_id") in source.header(files["anime"])

    def items(self) -> Iterator[Item]:
        """Anime; the English name of the 2020 edition is an attribute."""
        synopses = self._synopses()
        seen: set[str] = set()
        for row in self.source.records(self.files["anime"]):
            identity = (row.get("mal_id") or row.get("anime_id") or "").strip()
            title = clean_title(row.get("name") or "")
            if not identity:
                self.dropped["anime row that cannot be read"] += 1
            elif not title:
                self.dropped["item without title"] += 1
            elif identity in seen:
                self.dropped["item twice"] += 1
            else:
                seen.add(identity)
                yield Item(
                    id=identity[:200],
                    title=title,
                    text=synopses.get(identity, ""),
                    domain=self.domain,
                    attributes=_attributes(row),
                )

    def interactions(self) -> Iterator[Interaction]:
        """Ratings; watched without a rating (-1, or 0 of 2020) is the signal `watch`."""
        return self._once(self._ratings())

    def is_positive(self, interaction: Interaction) -> bool:
        """See `positive`."""
        return interaction.signal == "rating" and interaction.value >= 8

    def _ratings(self) -> Iterator[Interaction]:
        rows = self.source.rows(self.files["ratings"])
        next(rows, None)
        for row in rows:
            try:
                user, item, value = row[0].strip(), row[1].strip(), number(row[2])
                if not user or not item:
                    raise ValueError("no user or item")
            except (ValueError, IndexError):
                self.dropped["rating row that cannot be read"] += 1
                continue
            yield Interaction(user, item, "rating", value) if value > 0 else Interaction(user, item, "watch")

    def _synopses(self) -> dict[str, str]:
        member = self.files.get("synopses")
        if member is None:
            return {}
        found = {}
        for row in self.source.records(member):
            text = clean(row.get("sypnopsis") or row.get("synopsis") or "")  # the misspelling is theirs
            if text and not text.startswith("No synopsis"):
                found[(row.get("mal_id") or "").strip()] = text
        return found


def _attributes(row: Mapping[str, str]) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {}
    genres = [clean(genre) for genre in (row.get("genre") or row.get("genres") or "").split(",")]
    if known := [genre for genre in genres if genre.lower() not in _UNKNOWN]:
        attributes["genres"] = known
    for name, label in (("type", "type"), ("english name", "English name"), ("studios", "studios")):
        if (value := clean(row.get(name) or "")).lower() not in _UNKNOWN:
            attributes[label] = value
    if (episodes := (row.get("episodes") or "").strip()).isdigit():
        attributes["episodes"] = int(episodes)
    return attributes
