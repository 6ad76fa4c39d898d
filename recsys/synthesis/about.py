"""What is known of one item: its attributes by kind, as the glossary has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from recsys.catalog import Item
from recsys.synthesis import glossary
from recsys.synthesis.glossary import Term

LAST_IS_NARROWEST = frozenset(("shopping", "music"))
"""Domains where categories are paths, from the department down."""

_GENRES = ("genres", "genre", "kinds", "subcategory", "categories", "category", "topic", "section")
_MAKERS = ("authors", "author", "director", "artist", "composer", "brand", "studio", "studios", "developer")
_FORMATS = ("type", "format")
_PLACES = ("city",)
_TEXT_CHARS = 400
_SERIES = re.compile(r"\((?P<name>[^()]+?),? #\d[\d.\u2013-]*(?:;[^()]*)?\)$")
_NUMBERED = re.compile(r"^(?P<name>.{3,}?)\s+(?:[2-9]|I{2,3}|IV|V|VI{0,3})(?:[:\s-].*)?$")
_PART = re.compile(r"[:,]?\s*(?:Part|Vol\.?|Volume|Episode|Chapter|Season)$")
_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class About:
    """One item's attributes by kind, by folded name; the narrowest terms come first."""

    terms: dict[str, Term]
    makers: dict[str, str]
    formats: dict[str, Term]
    places: dict[str, str]
    series: str
    year: int | None
    price: int | None
    topics: dict[str, tuple[str, str]]

    @property
    def decade(self) -> int | None:
        """The first year of the decade."""
        return None if self.year is None else self.year // 10 * 10


def about(item: Item) -> About:
    """Sort an item's attributes into kinds; what fits none is left out."""
    found = _kept.get(id(item))
    if found is None or found[0] is not item:
        if len(_kept) >= _KEPT:
            _kept.clear()
        found = _kept[id(item)] = item, _about(item)
    return found[1]


_kept: dict[int, tuple[Item, About]] = {}
"""What is known of the items met last: each of them stands in many histories."""


def _about(item: Item) -> About:
    year, price = item.attributes.get("year"), item.attributes.get("price")
    found = glossary.terms(item.domain, _strings(item, _GENRES))
    if item.domain in LAST_IS_NARROWEST:
        found = dict(reversed(found.items()))
    formats = {n: glossary.format_term(item.domain, n) for n in _strings(item, _FORMATS)}
    return About(
        terms=dict(sorted(found.items(), key=lambda entry: entry[1].broad)),
        makers={name.casefold(): name for name in _strings(item, _MAKERS)},
        formats={name: term for name, term in formats.items() if term},
        places={name.casefold(): name for name in _strings(item, _PLACES)},
        series=_series(item.title),
        year=year if isinstance(year, int) and 1000 < year < 2200 else None,
        price=_band(float(price)) if isinstance(price, (int, float)) and price > 0 else None,
        topics=glossary.topics(item.domain, item.text[:_TEXT_CHARS]) if item.text else {},
    )


def _strings(item: Item, keys: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for key in keys:
        value = item.attributes.get(key, [])
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, str) and part and part.casefold() not in ("unknown", "various artists"):
                found.setdefault(part)
    return list(found)


def _series(title: str) -> str:
    """The name of a series that a title tells: in brackets with a number, or before a number at its end."""
    if match := _SERIES.search(title):
        return match["name"].strip()
    match = _NUMBERED.match(title)
    return _PART.sub("", match["name"]).strip() if match else ""


def _band(price: float) -> int | None:
    return next((limit for limit in (10, 20, 50, 100, 200, 500) if price < limit), None)
