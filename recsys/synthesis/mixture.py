"""How many examples each source gives."""

from __future__ import annotations

from collections.abc import Mapping

RECIPE: Mapping[str, float] = {
    "mind": 17.97,
    "amazon-music": 11.85,
    "yelp": 11.95,
    "anime": 9.93,
    "books": 5.78,
    "movielens": 4.64,
    "steam": 0.72,
    "amazon": 37.17,
}
"""Percent of the instruction data by dataset."""


def counts(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """`total` divided by `shares` (any positive scale), each within one of its exact part.

    Largest remainders get what rounding down leaves (Hamilton's method), earlier names first among
    equals. Raises ValueError for a negative total, no shares, or shares that are not positive.
    """
    if total < 0 or not shares or any(not share > 0 for share in shares.values()):
        raise ValueError("a mixture needs a total of 0 or more and positive shares")
    whole = sum(shares.values())
    exact = {name: total * share / whole for name, share in shares.items()}
    found = {name: int(part) for name, part in exact.items()}
    left = total - sum(found.values())
    for name in sorted(exact, key=lambda n: found[n] - exact[n])[:left]:
        found[name] += 1
    return found
