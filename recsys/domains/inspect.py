"""What is in a dataset: counts, period, and what could not be used and why."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import numpy as np
from pydantic import BaseModel

from recsys.domains.base import Dataset
from recsys.domains.distinct import Keys, KeySet, hashes

_BATCH = 1 << 15


class Inspection(BaseModel):
    """Counts of a dataset.

    `untitled`: items of interactions that are not among `items`, for they have no title or no row;
    `untitled_interactions`: those interactions; `period`: first and last time, ISO 8601; `positive`: the
    rule; `notes`: what was not read, or read otherwise than it is in the files.
    """

    dataset: str
    edition: str
    users: int
    items: int
    interactions: int
    positives: int
    positive: str
    with_time: int
    untitled: int
    untitled_interactions: int
    period: tuple[str, str] | None
    dropped: dict[str, int]
    notes: list[str]


def inspect(dataset: Dataset) -> Inspection:
    """Read everything once; users and items are told apart by 64-bit hashes, so that millions fit."""
    ids = np.fromiter((hash(item.id) for item in dataset.items()), dtype=np.int64)
    titled = np.sort(ids.view(np.uint64))
    users, items = KeySet(), KeySet()
    interactions = positives = with_time = untitled_interactions = 0
    first, last = float("inf"), float("-inf")
    rows = dataset.interactions()
    while batch := list(islice(rows, _BATCH)):
        interactions += len(batch)
        positives += sum(map(dataset.is_positive, batch))
        people = hashes((row.user for row in batch), len(batch))
        users.add(people, people)
        things = hashes((row.item for row in batch), len(batch))
        items.add(things, things)
        untitled_interactions += len(batch) - _among(things, titled)
        times = [row.time for row in batch if row.time is not None]
        with_time += len(times)
        first, last = min([first, *times]), max([last, *times])
    return Inspection(
        dataset=dataset.name,
        edition=dataset.edition,
        users=len(users),
        items=len(titled),
        interactions=interactions,
        positives=positives,
        positive=dataset.positive_words,
        with_time=with_time,
        untitled=len(items) - _among(items.low(), titled),
        untitled_interactions=untitled_interactions,
        period=(_iso(first), _iso(last)) if with_time else None,
        dropped=dict(dataset.dropped),
        notes=dataset.notes,
    )


def _among(keys: Keys, known: Keys) -> int:
    """How many of `keys` are in the sorted `known`."""
    at = np.searchsorted(known, keys)
    return int((known[at[at < len(known)]] == keys[at < len(known)]).sum())


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
