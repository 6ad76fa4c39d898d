"""Histories, k-core and splits without leakage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalog import Interaction, Item
from recsys.domains.account import Account
from recsys.domains.base import Dataset
from recsys.domains.histories import (
    HistoryRules,
    Sequences,
    k_core,
    keep_items,
    read_sequences,
    split_examples,
)
from recsys.domains.liked import user_code
from recsys.domains.positive import PositiveRule
from recsys.domains.registry import open_dataset


class Fixed(Dataset):
    """A dataset of given interactions."""

    name = "fixed"
    domain = "films"
    positive = "value of 4 or more"
    editions = ()

    def __init__(self, rows: list[Interaction]) -> None:
        self.rows = rows
        self.positive_rule = PositiveRule(least={"rating": 4.0})
        self._accounts = {}

    def _items(self, account: Account) -> Iterator[Item]:
        return (Item(id=i, title=f"Title {i}") for i in sorted({r.item for r in self.rows}))

    def _interactions(self, account: Account) -> Iterator[Interaction]:
        return iter(self.rows)


def row(user: str, item: str, time: int | None = None, value: float = 5.0) -> Interaction:
    return Interaction(user, item, "rating", value, time)


def titles(sequences: Sequences, user: str) -> list[str]:
    u = sequences.users.tolist().index(user_code(user))
    codes = sequences.items[sequences.offsets[u] : sequences.offsets[u + 1]]
    return [sequences.item_ids[code] for code in codes]


def test_positives_are_ordered_by_time_and_counted_once() -> None:
    rows = [row("u", "b", 20), row("u", "a", 10), row("u", "c", 5, value=3.0), row("u", "a", 30)]
    found = read_sequences(Fixed(rows), HistoryRules(k_core=0))
    assert titles(found, "u") == ["a", "b"]
    assert found.last.tolist() == [20]
    assert found.timed


def test_without_times_the_order_of_the_file_counts() -> None:
    rows = [row("u", name) for name in "dbac"] + [row("v", "a")]
    found = read_sequences(Fixed(rows), HistoryRules(k_core=0))
    assert titles(found, "u") == ["d", "b", "a", "c"]
    assert not found.timed


def test_interactions_without_a_time_come_first() -> None:
    rows = [row("u", "late", 50), row("u", "old"), row("u", "older")]
    found = read_sequences(Fixed(rows), HistoryRules(k_core=0))
    assert titles(found, "u") == ["old", "older", "late"]


def test_nothing_is_an_empty_table() -> None:
    found = read_sequences(Fixed([]), HistoryRules())
    assert len(found.users) == 0
    rows = split_examples(found, HistoryRules(), preference=5, test=5, seed=0)
    assert {split: len(r) for split, r in rows.items()} == {"train": 0, "preference": 0, "test": 0}


def test_untitled_items_leave_the_sequences() -> None:
    found = read_sequences(Fixed([row("u", n, t) for t, n in enumerate("abcd", 1)]), HistoryRules(k_core=0))
    known = np.array([name != "b" for name in found.item_ids])
    assert titles(keep_items(found, known), "u") == ["a", "c", "d"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=80, unique=True), st.integers(0, 5))
def test_k_core_leaves_k_of_each_and_is_the_largest_such(pairs: list[tuple[int, int]], k: int) -> None:
    user = np.array([u for u, _ in pairs], dtype=np.uint64)
    item = np.array([i for _, i in pairs], dtype=np.int32)
    keep = k_core(user, item, k)
    left = [pair for pair, kept in zip(pairs, keep, strict=True) if kept]
    for side in (0, 1):
        values = [pair[side] for pair in left]
        assert all(values.count(value) >= k for value in values)
    rest = set(pairs)  # removed one by one
    while True:
        rare = {p for p in rest if min(sum(q[0] == p[0] for q in rest), sum(q[1] == p[1] for q in rest)) < k}
        if not rare:
            break
        rest -= rare
    assert set(left) == rest


interactions = st.lists(
    st.builds(row, st.sampled_from("pqrstuvwxyz"), st.sampled_from("abcdefghijkl"), st.integers(1, 40)),
    max_size=150,
)


@settings(max_examples=150, deadline=None)
@given(interactions, st.booleans(), st.integers(1, 3), st.integers(0, 3), st.integers(0, 5))
def test_splits_share_no_user_and_no_target(
    rows: list[Interaction], timed: bool, min_length: int, held: int, seed: int
) -> None:
    if not timed:
        rows = [row(r.user, r.item) for r in rows]
    rules = HistoryRules(min_length=min_length, k_core=0)
    sequences = read_sequences(Fixed(rows), rules)
    splits = split_examples(sequences, rules, preference=held, test=held, seed=seed)
    users = {name: set(r.user.tolist()) for name, r in splits.items()}
    targets = {name: set(sequences.items[r.position].tolist()) for name, r in splits.items()}
    for a, b in (("train", "preference"), ("train", "test"), ("preference", "test")):
        assert not users[a] & users[b]
        assert not targets[a] & targets[b]
    for r in splits.values():
        for user, position in zip(r.user.tolist(), r.position.tolist(), strict=True):
            begin, end = sequences.offsets[user], sequences.offsets[user + 1]
            assert begin + min_length <= position < end
            assert sequences.items[position] not in sequences.items[begin:position]
    if timed:
        last = {name: [int(sequences.last[u]) for u in found] for name, found in users.items()}
        assert max(last["train"], default=0) <= min(last["preference"], default=99)
        assert max(last["preference"], default=0) <= min(last["test"], default=99)


def test_held_out_rows_are_last_items_and_training_rows_all_others() -> None:
    rows = [row(f"u{u}", f"i{(u * 3 + k) % 40}", u * 100 + k + 1) for u in range(30) for k in range(6)]
    rules = HistoryRules(min_length=3, k_core=0, per_user=2)
    sequences = read_sequences(Fixed(rows), rules)
    splits = split_examples(sequences, rules, preference=2, test=2, seed=1)
    for name in ("preference", "test"):
        assert (splits[name].position == sequences.offsets[splits[name].user + 1] - 1).all()  # type: ignore[index]
    train = splits["train"]
    assert np.bincount(train.user).max() <= 2
    back = sequences.offsets[train.user + 1] - 1 - train.position
    assert (np.diff(back) >= 0).all()


def test_same_seed_same_split() -> None:
    rows = [row(f"u{u}", f"i{(u + k) % 20}") for u in range(40) for k in range(6)]
    rules = HistoryRules(k_core=0)
    sequences = read_sequences(Fixed(rows), rules)
    one, two, other = (split_examples(sequences, rules, preference=3, test=3, seed=s) for s in (1, 1, 2))
    assert all((one[s].user == two[s].user).all() for s in one)
    assert any(one[s].user.tolist() != other[s].user.tolist() for s in one)


@pytest.mark.data
def test_real_films_split_by_time() -> None:
    path = Path(__file__).parents[4] / "shared" / "data" / "movies"
    if not path.is_dir():
        pytest.skip("needs ../shared/data/movies")
    rules = HistoryRules()
    sequences = read_sequences(open_dataset("movielens", path), rules)
    assert sequences.counts["positive interactions"] == 48_580
    splits = split_examples(sequences, rules, preference=30, test=30, seed=0)
    assert len(splits["train"]) > 20_000
    assert sequences.last[splits["train"].user].max() <= sequences.last[splits["test"].user].min()


def test_reading_tells_how_far_it_is() -> None:
    told: list[int] = []
    rows = [row(f"u{number}", "a", 1) for number in range(40_000)]
    read_sequences(Fixed(rows), HistoryRules(k_core=0), told.append)
    assert told == [32_768, 40_000]
