"""Interactions from the fields of a row: the part that all loaders share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recsys.catalog import Interaction
from recsys.domains.account import Account
from recsys.domains.tables import Row
from recsys.domains.values import number, unix_time

UNREADABLE = "rating row that cannot be read"
NO_TIME = "interactions whose time cannot be used, kept without it"


@dataclass(frozen=True)
class Columns:
    """Where the fields are in a row; None for what there is not."""

    user: int
    item: int
    value: int
    time: int | None = None
    signal: int | None = None


def header_columns(
    names: Sequence[str],
    *,
    user: str = "userid",
    item: str,
    value: str = "rating",
    time: str = "timestamp",
    signal: str = "",
) -> Columns:
    """Where in `names`, the keys of a file's columns, these are; the first three have to be there."""
    at = {name: place for place, name in reversed(list(enumerate(names)))}
    return Columns(at[user], at[item], at[value], at.get(time), at.get(signal))


def read_ratings(rows: Iterator[Row | None], columns: Columns, account: Account) -> Iterator[Interaction]:
    """A rating for each row; what is no row of user, item and number is counted as UNREADABLE."""
    user_at, item_at, value_at = columns.user, columns.item, columns.value
    time_at, signal_at = columns.time, columns.signal
    signal, time = "rating", None
    for row in rows:
        try:
            if row is None:
                raise ValueError("no row")
            user, item, value = row[user_at].strip(), row[item_at].strip(), number(row[value_at])
            if not user or not item:
                raise ValueError("no user or item")
            if time_at is not None:
                time = unix_time(row[time_at])
            if signal_at is not None:
                signal = row[signal_at].strip()
        except (ValueError, IndexError):
            account.dropped[UNREADABLE] += 1
            continue
        if time is None and time_at is not None:
            account.altered[NO_TIME] += 1
        yield Interaction(user, item, signal, value, time)


def rating(account: Account, user: object, item: object, value: object, when: object) -> Interaction:
    """The rating of a JSON object. Raises ValueError where user, item or value is none."""
    user, item = identity(user), identity(item)
    stars, time = number(value), unix_time(when)
    if time is None:
        account.altered[NO_TIME] += 1
    return Interaction(user, item, "rating", stars, time)


def identity(value: object) -> str:
    """A user or an item by its id, a text or a whole number; raises ValueError for anything else."""
    found = value.strip() if isinstance(value, str) else value
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if isinstance(found, str) and found:
        return found
    raise ValueError(f"{value!r} is no id")
