"""The positive interactions of a dataset as arrays, 20 bytes for each, and 80 to 100 for each item's id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from recsys.catalog import Interaction
from recsys.domains.base import Dataset
from recsys.domains.distinct import Keys, KeySet, hashes

T = TypeVar("T", bound=np.generic)

_BATCH = 1 << 15


@dataclass(frozen=True)
class Liked:
    """One row an interaction, in the order of the files: pseudonym of the user, index into `item_ids`, Unix
    time (0 where there is none). `item_ids` are in the order of their first appearance."""

    user: npt.NDArray[np.uint64]
    item: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    item_ids: list[str]


def read_liked(dataset: Dataset, told: Callable[[int], None] = lambda count: None) -> Liked:
    """Read the interactions once and keep the positive ones; `told` hears how many were read so far."""
    users: list[npt.NDArray[np.uint64]] = []
    items: list[Keys] = []
    times: list[npt.NDArray[np.int64]] = []
    names = _Names()
    rows = dataset.interactions()
    count = 0
    while batch := list(islice(rows, _BATCH)):
        told(count := count + len(batch))
        liked = [row for row in batch if dataset.is_positive(row)]
        users.append(_pseudonyms(liked))
        items.append(names.keys(liked))
        times.append(np.fromiter((row.time or 0 for row in liked), dtype=np.int64, count=len(liked)))
    return Liked(
        user=_joined(users, np.uint64),
        item=names.codes(_joined(items, np.uint64)),
        time=_joined(times, np.int64),
        item_ids=names.names,
    )


def user_code(user: str) -> int:
    """The 64-bit pseudonym of a user id; the same on every machine."""
    digest = hashlib.blake2b(user.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


class _Names:
    """The ids of items by their 64-bit hashes, which differ from process to process: nothing else uses them.

    That two of three million items are taken for one has a probability below 10^-6.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._known = KeySet()
        self._keys: list[Keys] = []

    def keys(self, rows: list[Interaction]) -> Keys:
        """The hash of each row's item; new items are taken up."""
        keys = hashes((row.item for row in rows), len(rows))
        new = self._known.add(keys, keys)
        self._keys.append(keys[new])
        self.names += [rows[place].item for place in np.flatnonzero(new).tolist()]
        return keys

    def codes(self, keys: Keys) -> npt.NDArray[np.int32]:
        """The indices into `names` of items by their hashes."""
        known = _joined(self._keys, np.uint64)
        order = np.argsort(known)
        return order.astype(np.int32)[np.searchsorted(known[order], keys)]


def _pseudonyms(rows: list[Interaction]) -> npt.NDArray[np.uint64]:
    codes = {user: user_code(user) for user in {row.user for row in rows}}
    return np.fromiter((codes[row.user] for row in rows), dtype=np.uint64, count=len(rows))


def _joined(parts: list[npt.NDArray[T]], kind: type[T]) -> npt.NDArray[T]:
    """One array of all parts, which are let go of."""
    whole = np.concatenate(parts) if parts else np.zeros(0, dtype=kind)
    parts.clear()
    return whole
