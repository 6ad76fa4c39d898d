"""What can truthfully be said of a target, and of what it shares with a history: values for a grammar."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from recsys.catalog import Item

_GENRES = ("genres", "genre", "themes", "subcategory", "categories", "category", "topics")
_MAKERS = ("authors", "author", "director", "artist", "brand", "studio", "studios", "developer", "publisher")
_FORMATS = ("type", "format")
_PLACES = ("city", "area", "place")
_MOST = 3
_SENTENCE = re.compile(r"(?<=[.!?])\s")
_TELLING = 0.5
"""A genre that about this share of a history has is named first: one that all have is often general."""

_NUMBERS = {
    "en": (
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    ),
    "ko": (
        *("영", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉", "열"),
        *("열하나", "열둘", "열셋", "열넷", "열다섯", "열여섯", "열일곱", "열여덟"),
    ),
}
_KO_COUNTING = {1: "한", 2: "두", 3: "세", 4: "네", 11: "열한", 12: "열두", 13: "열세", 14: "열네"}


class _Term(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    ko: str


@dataclass(frozen=True, slots=True)
class About:
    """One item's attributes by kind, lower-cased for comparison on the left, as written on the right."""

    genres: dict[str, str]
    makers: dict[str, str]
    formats: dict[str, str]
    places: dict[str, str]
    decade: int | None
    price: int | None


def about(item: Item) -> About:
    """Sort an item's attributes into kinds; what fits none is left out."""
    year = item.attributes.get("year")
    price = item.attributes.get("price")
    return About(
        genres=_named(item, _GENRES),
        makers=_named(item, _MAKERS),
        formats=_named(item, _FORMATS),
        places=_named(item, _PLACES),
        decade=year // 10 * 10 if isinstance(year, int) and 1000 < year < 2200 else None,
        price=_band(float(price)) if isinstance(price, (int, float)) and price > 0 else None,
    )


def target_values(item: Item, words: Sequence[str], language: str) -> dict[str, str]:
    """The values `t_...` of a grammar; empty text where nothing is known."""
    known = about(item)
    return {
        "t_genres": _joined(_translated(known.genres, language)[-_MOST:], language),
        "t_maker": next(iter(known.makers.values()), ""),
        "t_kind_of": next(iter(_translated(known.formats, language)), ""),
        "t_place": next(iter(known.places.values()), ""),
        "t_period": _period(known.decade, language),
        "t_price": _price(known.price, language),
        "t_topics": _joined(list(words[:_MOST]), language),
        "t_phrase": _phrase(item),
    }


def shared_values(
    history: Sequence[Item], target: Item, words: Sequence[str], language: str
) -> tuple[dict[str, str], list[Item]]:
    """What the target has in common with items of the history, and those items, nearest first.

    A genre, maker or place is shared when one item has it too, a decade when two have it, a format or
    price when most do. `share` counts the items with the first shared genre, or else the maker.
    """
    wanted = about(target)
    known = [about(item) for item in history]
    genres = _by_coverage(wanted.genres, [k.genres for k in known])
    makers = _by_coverage(wanted.makers, [k.makers for k in known])
    formats = [f for f in wanted.formats if sum(f in k.formats for k in known) * 2 > len(known)]
    places = [p for p in wanted.places if any(p in k.places for k in known)]
    decade = wanted.decade if sum(k.decade == wanted.decade for k in known) > 1 else None
    price = wanted.price if sum(k.price == wanted.price for k in known) * 2 > len(known) else None
    main = [k.genres for k in known] if genres else [k.makers for k in known]
    first = genres[0] if genres else makers[0] if makers else ""
    count = sum(first in names for names in main)
    values = {
        "genres": _joined(_translated({g: wanted.genres[g] for g in genres[:_MOST]}, language), language),
        "maker": wanted.makers[makers[0]] if makers else "",
        "kind_of": next(iter(_translated({f: wanted.formats[f] for f in formats}, language)), ""),
        "place": wanted.places[places[0]] if places else "",
        "period": _period(decade, language),
        "price": _price(price, language),
        "topics": _joined(list(words[:_MOST]), language),
        "share": _share(count, len(history), language) if count > 1 else "",
    }
    order = sorted(range(len(history)), key=lambda i: (-_overlap(known[i], wanted), -i))
    return values, [history[i] for i in order]


def number_word(count: int, language: str, *, counting: bool = False) -> str:
    """A number in letters up to eighteen, in digits above; `counting` is the Korean form before a unit."""
    if counting and language == "ko" and count in _KO_COUNTING:
        return _KO_COUNTING[count]
    words = _NUMBERS[language]
    return words[count] if 0 <= count < len(words) else str(count)


@cache
def _glossary() -> Mapping[str, _Term]:
    data = tomllib.loads((Path(__file__).with_name("data") / "glossary.toml").read_text(encoding="utf-8"))
    return {name: _Term.model_validate(term) for name, term in data.items()}


def _named(item: Item, keys: Sequence[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for key in keys:
        value = item.attributes.get(key, [])
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, str) and part and part.casefold() != "unknown":
                names.setdefault(part.casefold(), part)
    return names


def _translated(names: Mapping[str, str], language: str) -> list[str]:
    terms = _glossary()
    found = (
        getattr(terms[key], language) if key in terms else name if language == "ko" else _lower(name)
        for key, name in names.items()
    )
    return list(dict.fromkeys(found))


def _lower(name: str) -> str:
    """A category's name inside a sentence: lower case, but not where it looks like a proper name."""
    return name.lower() if name.istitle() and " " not in name else name


def _by_coverage(wanted: Mapping[str, str], known: Sequence[Mapping[str, str]]) -> list[str]:
    """The names that at least one of `known` has too: those of about half of them first, then the rest."""
    hits = {name: sum(name in names for names in known) for name in wanted}
    shared = [name for name in wanted if hits[name]]
    return sorted(shared, key=lambda n: abs(hits[n] / len(known) - _TELLING))


def _overlap(a: About, b: About) -> float:
    same_maker = 3.0 * bool(a.makers.keys() & b.makers.keys())
    return same_maker + len(a.genres.keys() & b.genres.keys()) + 0.5 * (a.decade == b.decade is not None)


def _joined(names: Sequence[str], language: str) -> str:
    if len(names) < 2:
        return "".join(names)
    if language == "ko":
        return ", ".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _period(decade: int | None, language: str) -> str:
    if decade is None:
        return ""
    return f"{decade}년대" if language == "ko" else f"the {decade}s"


def _band(price: float) -> int | None:
    return next((limit for limit in (10, 20, 50, 100, 200, 500) if price <= limit), None)


def _price(band: int | None, language: str) -> str:
    if band is None:
        return ""
    return f"{band}달러 이하" if language == "ko" else f"under {band} dollars"


def _share(count: int, total: int, language: str) -> str:
    if language == "ko":
        return f"{number_word(total, 'ko')} 가운데 {number_word(count, 'ko')}"
    if count == total:
        return f"all {number_word(total, 'en')} of them" if total > 2 else "both of them"
    return f"{number_word(count, 'en')} of these {number_word(total, 'en')}"


def _phrase(item: Item) -> str:
    """The beginning of the first sentence of the item's own text, without what would end a quotation."""
    first = _SENTENCE.split(item.text.strip(), maxsplit=1)[0] if item.text else ""
    words = re.sub(r"[\"\u201c\u201d]", "", first).rstrip(".!?\u2026 ").split()
    if len(words) < 4 or ((title := item.title.casefold()) in " ".join(words).casefold() and title):
        return ""
    return " ".join(words[:24])
