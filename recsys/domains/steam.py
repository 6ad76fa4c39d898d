"""Steam video games (steam-200k): purchases and hours of play; the title is all that is known of a game."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from recsys.catalog import Interaction, Item
from recsys.domains.base import Dataset, Edition, clean_title, number
from recsys.domains.source import Member, Source


class Steam(Dataset):
    """Games by title. A purchase and the play row that follows it are one interaction."""

    name = "steam"
    domain = "games"
    positive = "played for two hours or more"
    editions = (Edition("200k", {"rows": r"steam.*\.csv"}),)

    @classmethod
    def _recognises(cls, source: Source, edition: Edition, files: Mapping[str, Member]) -> bool:
        first = source.header(files["rows"])
        return len(first) >= 4 and first[2] in ("purchase", "play")

    def items(self) -> Iterator[Item]:
        """Every title once."""
        seen: set[str] = set()
        for _, title, _, _ in self._rows(count=False):
            if title not in seen:
                seen.add(title)
                yield Item(id=title[:200], title=title, domain=self.domain)

    def interactions(self) -> Iterator[Interaction]:
        """One for each user and game: `play` with its hours where there are any, else `purchase`."""
        found: dict[tuple[str, str], float | None] = {}
        for user, title, behaviour, value in self._rows(count=True):
            key = (user, title[:200])
            hours = found.get(key)
            if behaviour == "play":
                if hours is not None:
                    self.dropped["played twice (hours added)"] += 1
                found[key] = (hours or 0.0) + value
            elif key in found:
                self.dropped["purchase twice"] += 1
            else:
                found[key] = None
        for (user, item), hours in found.items():
            if hours is None:
                yield Interaction(user, item, "purchase")
            else:
                yield Interaction(user, item, "play", hours)

    def is_positive(self, interaction: Interaction) -> bool:
        """See `positive`."""
        return interaction.signal == "play" and interaction.value >= 2.0

    def _rows(self, *, count: bool) -> Iterator[tuple[str, str, str, float]]:
        for row in self.source.rows(self.files["rows"]):
            try:
                user, title, behaviour, value = row[0].strip(), clean_title(row[1]), row[2], number(row[3])
                if not user or not title or behaviour not in ("purchase", "play"):
                    raise ValueError("not a row of this dataset")
            except (ValueError, IndexError):
                self.dropped["row that cannot be read"] += count
                continue
            yield user, title, behaviour, value
