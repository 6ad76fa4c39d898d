"""From interactions to histories with a target: filtered, ordered by time, and split without leakage.

Everything is kept in arrays, about 30 bytes for each positive interaction, so that millions of rows
fit. A user is known only by a 64-bit hash of the source's own id, which also makes them a pseudonym.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from recsys.domains.base import Dataset
from recsys.domains.liked import read_liked

Ints = npt.NDArray[np.int64]
Split = Literal["train", "preference", "test"]
SPLITS: tuple[Split, ...] = ("train", "preference", "test")

_HELD_OUT = 0.2
"""At most this share of the users is held out for preference annotation and test together."""


class HistoryRules(BaseModel):
    """What a usable history is.

    `min_length` and `max_length` count the items before the target; `k_core` keeps users and items with
    that many positive interactions each, repeatedly (0 and 1: no filter); `per_user` limits the
    training examples of one user (0: as many as there are).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_length: int = Field(default=3, ge=1)
    max_length: int = Field(default=10, ge=1)
    k_core: int = Field(default=5, ge=0)
    per_user: int = Field(default=0, ge=0)


@dataclass(frozen=True)
class Sequences:
    """Every user's positive items in time order: user u has `items[offsets[u]:offsets[u + 1]]`.

    `items` are indices into `item_ids`; `last` is the Unix time of each user's last item, 0 where the
    source has no times. `counts` says how many users, items and positives were left at each step.
    """

    users: npt.NDArray[np.uint64]
    offsets: Ints
    items: npt.NDArray[np.int32]
    last: Ints
    item_ids: tuple[str, ...]
    timed: bool
    counts: dict[str, int]

    def lengths(self) -> Ints:
        """The number of items of each user."""
        return np.diff(self.offsets)


@dataclass(frozen=True)
class Examples:
    """Rows of one split: the target of row i is `sequences.items[position[i]]` of user `user[i]`.

    The history of a row is what the user had before `position`, back to their first item.
    """

    user: Ints
    position: Ints

    def __len__(self) -> int:
        return len(self.user)


def read_sequences(
    dataset: Dataset, rules: HistoryRules, told: Callable[[int], None] = lambda count: None
) -> Sequences:
    """Read the dataset's positive interactions once, and filter and order them.

    Interactions without a time come before those with one, in the order of the file. Of repeated
    interactions of a user with an item the first one counts. `told` hears how many were read so far.
    """
    liked = read_liked(dataset, told)
    ids, user, item, time = np.array(liked.item_ids, dtype=object), liked.user, liked.item, liked.time
    del liked  # the arrays are as long as the file; each is needed once
    order = np.lexsort((time, user))  # stable: rows of one time stay in the order of the file
    user, item, time = user[order], item[order], time[order]
    counts = {"positive interactions": len(user)}
    first = _first_of_pair(user, item)
    user, item, time = user[first], item[first], time[first]
    counts["without repeats"] = len(user)
    keep = k_core(user, item, rules.k_core)
    user, item, time = user[keep], item[keep], time[keep]
    counts[f"after the {rules.k_core}-core"] = len(user)
    names, starts = np.unique(user, return_index=True)
    used, compact = np.unique(item, return_inverse=True)
    offsets = np.append(starts, len(user)).astype(np.int64)
    return Sequences(
        users=names,
        offsets=offsets,
        items=compact.astype(np.int32),
        last=time[offsets[1:] - 1] if len(names) else np.zeros(0, np.int64),
        item_ids=tuple(ids[used]) if len(used) else (),
        timed=bool(time.any()),
        counts={**counts, "users": len(names), "items": len(used)},
    )


def keep_items(sequences: Sequences, known: npt.NDArray[np.bool_]) -> Sequences:
    """The sequences without the items that are not `known` (shape (items,)); their codes stay."""
    mask = known[sequences.items]
    per_user = np.add.reduceat(mask, sequences.offsets[:-1]) if len(mask) else np.zeros(0, np.int64)
    offsets = np.concatenate([[0], np.cumsum(per_user)]).astype(np.int64)
    counts = {**sequences.counts, "with a titled item": int(mask.sum())}
    return replace(sequences, items=sequences.items[mask], offsets=offsets, counts=counts)


def k_core(user: npt.NDArray[np.uint64], item: npt.NDArray[np.int32], k: int) -> npt.NDArray[np.bool_]:
    """Which rows remain when users and items with fewer than `k` rows are removed until none is left."""
    keep = np.ones(len(user), dtype=bool)
    if k < 2:
        return keep
    people = np.unique(user, return_inverse=True)[1]
    while True:
        rare_user = np.bincount(people, weights=keep) < k
        rare_item = np.bincount(item, weights=keep) < k
        rest = keep & ~rare_user[people] & ~rare_item[item]
        if rest.sum() == keep.sum():
            return keep
        keep = rest


def split_examples(
    sequences: Sequences, rules: HistoryRules, *, preference: int, test: int, seed: int
) -> dict[Split, Examples]:
    """Training, preference and test rows; no user and no target is in two of them.

    Users are ordered by the time of their last item (in a drawn order where the source has no times):
    the latest are test users, those before them preference users, so that every training target is
    older than every preference target, and those than every test target. Held-out users give one row,
    with their last item as target; of training users every item after the first `min_length` is one,
    last items first. A training row whose target is one of a held-out row is left out, and so on
    upwards.
    """
    lengths = sequences.lengths()
    able = np.flatnonzero(lengths > rules.min_length)
    rng = np.random.default_rng([seed, len(able)])
    shuffled = rng.permutation(able)
    if sequences.timed:
        shuffled = shuffled[np.argsort(sequences.last[shuffled], kind="stable")]
    room = int(len(able) * _HELD_OUT)
    wanted = preference + test
    share = min(1.0, room / wanted) if wanted else 0.0
    test_users, preference_users = round(test * share), round(preference * share)
    cuts = len(shuffled) - test_users - preference_users, len(shuffled) - test_users
    if sequences.timed:
        cuts = _at_time_borders(sequences.last[shuffled], cuts)
    held: set[int] = set()
    chosen: dict[Split, Examples] = {}
    for split, people in (("test", shuffled[cuts[1] :]), ("preference", shuffled[cuts[0] : cuts[1]])):
        people = rng.permutation(people)
        position = sequences.offsets[people + 1] - 1
        free = ~np.isin(sequences.items[position], np.fromiter(held, np.int64, len(held)))
        chosen[split] = Examples(people[free], position[free])  # type: ignore[index]  # the names above
        held.update(sequences.items[position[free]].tolist())
    chosen["train"] = _training_rows(sequences, rules, shuffled[: cuts[0]], held, rng)
    return chosen


def _training_rows(
    sequences: Sequences, rules: HistoryRules, people: Ints, held: set[int], rng: np.random.Generator
) -> Examples:
    counts = sequences.lengths()[people] - rules.min_length
    if rules.per_user:
        counts = np.minimum(counts, rules.per_user)
    user = np.repeat(people, counts)
    back = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
    position = sequences.offsets[user + 1] - 1 - back
    free = ~np.isin(sequences.items[position], np.fromiter(held, np.int64, len(held)))
    user, position, back = user[free], position[free], back[free]
    order = np.lexsort((rng.random(len(user)), back))
    return Examples(user[order], position[order])


def _at_time_borders(last: Ints, cuts: tuple[int, int]) -> tuple[int, int]:
    """The cuts moved up to where the time changes: users of the same second stay together."""
    moved = [
        int(np.searchsorted(last, last[cut - 1], side="right")) if 0 < cut < len(last) else cut
        for cut in cuts
    ]
    return moved[0], moved[1]


def _first_of_pair(user: npt.NDArray[np.uint64], item: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    order = np.lexsort((item, user))  # stable, so the earliest row of a pair comes first
    again = np.zeros(len(user), dtype=bool)
    again[1:] = (user[order][1:] == user[order][:-1]) & (item[order][1:] == item[order][:-1])
    first = np.empty(len(user), dtype=bool)
    first[order] = ~again
    return first
