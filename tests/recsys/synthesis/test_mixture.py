"""How many examples each source gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.domains.registry import DATASETS
from recsys.synthesis.mixture import RECIPE, counts

shares = st.dictionaries(st.text(min_size=1, max_size=4), st.floats(0.001, 1000.0), min_size=1, max_size=12)


@given(shares, st.integers(0, 700_000))
def test_counts_add_up_and_are_within_one_of_their_share(given_shares: dict[str, float], total: int) -> None:
    found = counts(given_shares, total)
    whole = sum(given_shares.values())
    assert sum(found.values()) == total
    assert found.keys() == given_shares.keys()
    for name, share in given_shares.items():
        assert abs(found[name] - total * share / whole) < 1.0


def test_the_recipe_covers_the_eight_datasets() -> None:
    assert len(RECIPE) == 8
    assert RECIPE.keys() <= DATASETS.keys()
    assert sum(RECIPE.values()) == pytest.approx(100.0, abs=0.02)
    assert counts(RECIPE, 600_000)["amazon"] == pytest.approx(223_000, abs=100)


@pytest.mark.parametrize(
    ("given_shares", "total"),
    [({}, 1), ({"a": 0.0}, 1), ({"a": -1.0}, 1), ({"a": float("nan")}, 1), ({"a": 1.0}, -1)],
)
def test_what_is_no_mixture_is_refused(given_shares: dict[str, float], total: int) -> None:
    with pytest.raises(ValueError, match="mixture"):
        counts(given_shares, total)
