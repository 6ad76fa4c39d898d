"""Repeated rows are found, and no other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalog import Interaction, Item
from recsys.domains.account import Account
from recsys.domains.distinct import KeySet, once, once_each

rows = st.builds(
    Interaction,
    st.sampled_from(["", "u", "v", "uv"]),
    st.sampled_from(["", "i", "j", "vi"]),
    st.sampled_from(["rating", "click"]),
    st.sampled_from([0.0, -0.0, -1.0, -2.0, 1.0, 2.0**61 - 1, 1e-300]),
    st.sampled_from([None, 1, 2, 2**61 - 1]),
)


@settings(deadline=None)
@given(st.lists(rows, max_size=200))
def test_once_keeps_the_first_of_equal_rows(given_rows: list[Interaction]) -> None:
    account = Account()
    assert list(once(given_rows, account)) == list(dict.fromkeys(given_rows))
    assert account.dropped["duplicate row"] == len(given_rows) - len(set(given_rows))


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdef"), max_size=40))
def test_items_are_told_apart_by_their_id(ids: list[str]) -> None:
    account = Account()
    found = once_each((Item(id=i, title=str(n)) for n, i in enumerate(ids)), account)
    assert [(item.id, item.title) for item in found] == [(i, str(ids.index(i))) for i in dict.fromkeys(ids)]
    assert account.dropped["item twice"] == len(ids) - len(set(ids))


keys = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=30)


@settings(max_examples=200, deadline=None)
@given(st.lists(keys, max_size=12))
def test_key_set_is_a_set(batches: list[list[tuple[int, int]]]) -> None:
    found, known = KeySet(), set[tuple[int, int]]()
    for batch in batches:
        low = np.array([key[0] for key in batch], dtype=np.uint64)
        high = np.array([key[1] for key in batch], dtype=np.uint64)
        new = found.add(low, high).tolist()
        for key, is_new in zip(batch, new, strict=True):
            assert is_new == (key not in known)
            known.add(key)
        assert len(found) == len(known)


def test_a_hundred_thousand_rows_that_differ_in_one_thing_are_all_kept() -> None:
    account = Account()
    many = [Interaction(f"user{n % 317}", f"item{n // 317}", "rating", 4.0, None) for n in range(100_000)]
    many += [Interaction("u", "i", "rating", float(n), None) for n in range(50_000)]
    many += [Interaction("u", "i", "rating", 0.5, n) for n in range(1, 50_000)]
    assert sum(1 for _ in once(many + many[::-1], account)) == len(many)
    assert account.dropped["duplicate row"] == len(many)
