"""Steam video games (steam-200k): purchases and hours of play; the title is all that is known of a game."""

from __future__ import annotations

from collections.abc import Iterator

from recsys.catalog import Interaction, Item
from recsys.domains.account import Account
from recsys.domains.archives import Member
from recsys.domains.base import MAX_ID_CHARS, Dataset, Edition
from recsys.domains.layouts import Role
from recsys.domains.positive import PositiveRule
from recsys.domains.source import Source
from recsys.domains.tables import Row
from recsys.domains.values import clean_title, number

_BEHAVIOURS = ("purchase", "play")


def _fits(source: Source, member: Member) -> bool:
    """Whether one of the first rows is of this dataset; the first may be a header."""
    return any(
        len(fields := line.split(",")) >= 4 and any(field.strip(' "') in _BEHAVIOURS for field in fields[2:])
        for line in source.head(member)[:2]
    )


class Steam(Dataset):
    """Games by title. A purchase and the play row that follows it are one interaction."""

    name = "steam"
    domain = "games"
    positive = "played for two hours or more"
    rule = PositiveRule(least={"play": 2.0})
    signals = ("play", "purchase")
    editions = (Edition("200k", {"rows": Role("steam-200k.csv", _fits)}),)

    def _items(self, account: Account) -> Iterator[Item]:
        titles = dict.fromkeys(title for _, title, _, _ in self._rows(Account()))
        for title in titles:
            if item := self._item(account, title[:MAX_ID_CHARS], title):
                yield item

    def _interactions(self, account: Account) -> Iterator[Interaction]:
        """One for each user and game: `play` with its hours where there are any, else `purchase`.

        Different rows of play of one game are added up; the same row twice counts once.
        """
        played: dict[tuple[str, str], tuple[float, ...]] = {}
        bought: set[tuple[str, str]] = set()
        for user, title, behaviour, value in self._rows(account):
            known = (user, title[:MAX_ID_CHARS])
            hours = played.setdefault(known, ())
            if value in hours if behaviour == "play" else known in bought:
                account.dropped["duplicate row"] += 1
            elif behaviour == "purchase":
                bought.add(known)
            else:
                if hours:
                    account.dropped["play row of a game that has one (hours added)"] += 1
                played[known] = (*hours, value)
        for (user, item), hours in played.items():
            yield (
                Interaction(user, item, "play", sum(hours)) if hours else Interaction(user, item, "purchase")
            )

    def _rows(self, account: Account) -> Iterator[tuple[str, str, str, float]]:
        for place, row in enumerate(self.table("rows", account)):
            try:
                user, title, behaviour, value = _fields(row)
            except (ValueError, IndexError):
                if place or row is None or row[0].strip().isdigit():  # else it is a header
                    account.dropped["row that cannot be read"] += 1
                continue
            yield user, title, behaviour, value


def _fields(row: Row | None) -> tuple[str, str, str, float]:
    if row is None:
        raise ValueError("no row")
    user, title, behaviour, value = row[0].strip(), clean_title(row[1]), row[2].strip(), number(row[3])
    if not user or not title or behaviour not in _BEHAVIOURS:
        raise ValueError("not a row of this dataset")
    return user, title, behaviour, value
