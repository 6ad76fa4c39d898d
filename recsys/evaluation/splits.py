"""From a dataset's interactions to cases: what a person had liked, and what they liked next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp

from recsys.domains.base import Dataset
from recsys.errors import InputError
from recsys.evaluation.cases import HISTORY_LENGTH, Case, EvaluationData

Split = Literal["auto", "time", "last"]

MIN_HISTORY = 3
"""Positives that somebody has before the target, at least."""

_CUT = 0.8
_EARLIEST_CUT = 0.5


@dataclass(frozen=True, slots=True)
class _Event:
    item: int
    time: int


def split_dataset(dataset: Dataset, *, users: int, seed: int, split: Split = "auto") -> EvaluationData:
    """Cases of at most `users` people, drawn with `seed`.

    `time` cuts all interactions at one time, the 80% quantile of the positives, or earlier (down to the
    50% quantile) where fewer than `users` people have a target after it. A person's target is their first
    positive after the cut that has ten positives before it, or else their last; in-domain methods
    learn from positives before the cut. `last` takes everybody's last positive as target, and in-domain
    methods learn from all other positives. `auto` is `time` where the source has times that allow it.

    Raises InputError where no case is left, or `time` is asked for without times.
    """
    items = tuple(dataset.items())
    position = {item.id: number for number, item in enumerate(items)}
    people, timed = _positives(dataset, position)
    if split == "time" and not timed:
        raise InputError(reason=f"{dataset.name} has no times to split by; use --split last.")
    cases: list[Case] = []
    if timed and split != "last":
        cases, training, protocol = _by_time(people, users)
    if not cases and split != "time":
        reason = "chosen" if split == "last" else "nobody has a positive after one time for all"
        if not timed:
            reason = "the source has no times, its order is taken for that of time"
        cases, training, protocol = _by_last(people)
        protocol += f" ({reason})"
    if not cases:
        raise InputError(
            reason=f"Nobody in {dataset.name} has {MIN_HISTORY} positives and one after them whose items "
            f"have titles; it has {len(people):,} people with positives and {len(items):,} items with titles."
        )
    chosen = np.random.default_rng([seed, len(cases)]).permutation(len(cases))[:users]
    return EvaluationData(
        name=dataset.name,
        domain=dataset.domain,
        items=items,
        sources=items,
        cases=tuple(cases[index] for index in sorted(chosen)),
        known=_matrix(training, len(items)),
        protocol=protocol,
        notes=(f"{len(cases)} people can be tested, {min(users, len(cases))} are",),
    )


def _positives(dataset: Dataset, position: Mapping[str, int]) -> tuple[dict[str, list[_Event]], bool]:
    """Each person's positives of titled items in time order, of repeated ones the first."""
    events: dict[str, dict[int, _Event]] = defaultdict(dict)
    timed = False
    for interaction in dataset.interactions():
        number = position.get(interaction.item)
        if number is not None and dataset.is_positive(interaction):
            timed = timed or interaction.time is not None
            event = _Event(number, interaction.time or 0)
            mine = events[interaction.user]
            if number not in mine or event.time < mine[number].time:
                mine[number] = event
    return {user: sorted(mine.values(), key=lambda e: e.time) for user, mine in events.items()}, timed


def _by_time(people: Mapping[str, Sequence[_Event]], users: int) -> tuple[list[Case], list[list[int]], str]:
    times = np.sort([event.time for events in people.values() for event in events])
    last = np.sort([events[-1].time for events in people.values() if len(events) > MIN_HISTORY])[::-1]
    cut = int(times[int(_CUT * (len(times) - 1))]) if len(times) else 0
    if len(last):
        # `users` people have a positive after the time of the one who comes next.
        wanted = int(last[min(users, len(last) - 1)])
        cut = min(cut, max(wanted, int(times[int(_EARLIEST_CUT * (len(times) - 1))])))
    cases = []
    for user, events in people.items():
        after = [n for n, event in enumerate(events) if event.time > cut and n >= MIN_HISTORY]
        if after:
            target = next((n for n in after if n >= HISTORY_LENGTH), after[-1])
            cases.append(_case(user, events, target))
    training = [[e.item for e in events if e.time <= cut] for events in people.values()]
    share = float(np.mean(times <= cut)) if len(times) else 0.0
    words = f"global time split after {share:.0%} of the positives; target: the next positive after it"
    return cases, training, words


def _by_last(people: Mapping[str, Sequence[_Event]]) -> tuple[list[Case], list[list[int]], str]:
    cases, training = [], []
    for user, events in people.items():
        tested = len(events) > MIN_HISTORY
        if tested:
            cases.append(_case(user, events, len(events) - 1))
        training.append([e.item for e in (events[:-1] if tested else events)])
    return cases, training, "each person's last positive is the target"


def _case(user: str, events: Sequence[_Event], target: int) -> Case:
    history = events[max(0, target - HISTORY_LENGTH) : target]
    return Case(user, tuple(e.item for e in history), (events[target].item,))


def _matrix(rows: Sequence[Sequence[int]], items: int) -> sp.csr_array:
    used = [row for row in rows if row]
    columns = np.fromiter((item for row in used for item in row), np.int64)
    offsets = np.cumsum([0, *(len(row) for row in used)])
    return sp.csr_array((np.ones(len(columns), np.float32), columns, offsets), shape=(len(used), items))
