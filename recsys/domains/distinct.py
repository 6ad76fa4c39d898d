"""Which rows were there before, in 16 bytes a row.

A row is known by 128 bits that are drawn from all that it holds: its user and item by Python's 64-bit hash of
texts, its value and time as they are. Rows that differ are taken for one only where those hashes agree: that
it happens at all among ten million rows, whatever they are, has a probability below 3 in a million, and then
one row is lost. The key of the hash is drawn anew in each process, so no file can bring it about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import attrgetter
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from recsys.catalog import Interaction, Item
from recsys.domains.account import Account

Keys = npt.NDArray[np.uint64]
T = TypeVar("T")

_ROWS, _ITEMS = 1 << 15, 1 << 11
_NO_TIME = -1
_SEEDS = (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03)
_user, _item, _signal, _value = (attrgetter(name) for name in ("user", "item", "signal", "value"))


class KeySet:
    """A set of 128-bit keys, as pairs of arrays of their halves, sorted by the lower one.

    It is a few sorted runs; a run is merged with the one before it as soon as it has grown to half its size.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Keys, Keys]] = []

    def __len__(self) -> int:
        return sum(len(low) for low, _ in self._runs)

    def low(self) -> Keys:
        """The lower halves of all keys, in no order."""
        return np.concatenate([low for low, _ in self._runs]) if self._runs else np.zeros(0, np.uint64)

    def add(self, low: Keys, high: Keys) -> npt.NDArray[np.bool_]:
        """Which of the keys are new, the first of those that are there twice; shape (keys,)."""
        order = np.lexsort((high, low))  # stable, so that the first of equal keys stays the first
        low, high = low[order], high[order]
        new = np.ones(len(low), dtype=bool)
        new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        for run, other in self._runs:
            at = np.minimum(np.searchsorted(run, low), len(run) - 1)
            new &= (run[at] != low) | (other[at] != high)
        self._append(low[new], high[new])
        found = np.empty_like(new)
        found[order] = new
        return found

    def _append(self, low: Keys, high: Keys) -> None:
        while self._runs and 2 * len(low) >= len(self._runs[-1][0]):
            before, other = self._runs.pop()
            low, high = np.concatenate([before, low]), np.concatenate([other, high])
            order = np.argsort(low, kind="stable")
            low, high = low[order], high[order]
        if len(low):
            self._runs.append((low, high))


def hashes(names: Iterable[str], count: int) -> Keys:
    """The 64-bit hash of each of `count` names, in this process."""
    return np.fromiter(map(hash, names), dtype=np.int64, count=count).view(np.uint64)


def once(interactions: Iterable[Interaction], account: Account) -> Iterator[Interaction]:
    """The interactions without those that are there twice, which are counted."""
    return _unique(interactions, _row_keys, account, "duplicate row", _ROWS)


def once_each(items: Iterable[Item], account: Account) -> Iterator[Item]:
    """The items without those whose id was there before, which are counted."""
    return _unique(items, _item_keys, account, "item twice", _ITEMS)


def _unique(
    things: Iterable[T],
    keys: Callable[[list[T]], tuple[Keys, Keys]],
    account: Account,
    reason: str,
    size: int,
) -> Iterator[T]:
    seen = KeySet()
    source = iter(things)
    while batch := list(islice(source, size)):
        new = seen.add(*keys(batch))
        if not new.all():
            account.dropped[reason] += len(batch) - int(new.sum())
            batch = [thing for thing, keep in zip(batch, new.tolist(), strict=True) if keep]
        yield from batch


def _item_keys(batch: list[Item]) -> tuple[Keys, Keys]:
    return hashes((item.id for item in batch), len(batch)), hashes(
        (f"{item.id}." for item in batch), len(batch)
    )


def _row_keys(batch: list[Interaction]) -> tuple[Keys, Keys]:
    count = len(batch)
    values = np.fromiter(map(_value, batch), dtype=np.float64, count=count) + 0.0  # -0.0 becomes 0.0
    times = (_NO_TIME if row.time is None else row.time for row in batch)
    fields = (
        hashes(map(_user, batch), count),
        hashes(map(_item, batch), count),
        hashes(map(_signal, batch), count),
        values.view(np.uint64),
        np.fromiter(times, dtype=np.int64, count=count).view(np.uint64),
    )
    return _mixed(fields, _SEEDS[0]), _mixed(fields, _SEEDS[1])


def _mixed(fields: Iterable[Keys], seed: int) -> Keys:
    """64 bits of several fields, which all of them change: the finaliser of SplitMix64 after each."""
    state = np.array(seed, dtype=np.uint64)
    for field in fields:
        mixed = field ^ state
        mixed ^= mixed >> np.uint64(30)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(27)
        mixed *= np.uint64(0x94D049BB133111EB)
        state = mixed ^ (mixed >> np.uint64(31))
    return state
