"""What the columns of somebody's own catalogue mean, by the names that such columns usually have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recsys.catalog import Attribute
from recsys.domains.tables import key
from recsys.domains.values import clean, number

_ITEM = (
    *(
        "itemid",
        "item",
        "productid",
        "product",
        "movieid",
        "filmid",
        "bookid",
        "newsid",
        "articleid",
        "gameid",
    ),
    *("trackid", "songid", "videoid", "animeid", "malid", "businessid", "placeid", "contentid", "docid"),
    *("parentasin", "asin", "isbn", "sku"),
)
_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", *_ITEM),
    "item": _ITEM,
    "user": ("userid", "user", "username", "customerid", "reviewerid", "visitorid", "memberid", "sessionid"),
    "title": (
        "title",
        "name",
        "itemname",
        "productname",
        "producttitle",
        "booktitle",
        "movietitle",
        "headline",
    ),
    "text": ("text", "description", "abstract", "overview", "synopsis", "summary", "body", "content", "plot"),
    "domain": ("domain",),
    "language": ("language", "lang"),
    "url": ("url", "link"),
    "value": ("value", "rating", "score", "stars", "overall", "bookrating"),
    "time": ("time", "timestamp", "datetime", "date", "createdat", "unixreviewtime", "ts"),
    "signal": ("signal", "event", "eventtype", "action", "behavior", "behaviour"),
}
_LONGEST = 200
_HANGUL = re.compile("[가-힣]")


@dataclass(frozen=True)
class Meaning:
    """The columns of one file by what they mean, each by its name in the file."""

    columns: Mapping[str, str]

    @property
    def has_items(self) -> bool:
        """Whether the rows have an item each, with its title."""
        return {"id", "title"} <= self.columns.keys()

    @property
    def has_interactions(self) -> bool:
        """Whether the rows say what somebody did with an item."""
        return {"user", "item"} <= self.columns.keys()

    @property
    def detail(self) -> frozenset[str]:
        """What is known of the interactions beside who and what."""
        return frozenset({"value", "time", "signal"} & self.columns.keys())

    def text(self, row: Mapping[str, Any], what: str) -> str:
        """The field as text; empty where there is none."""
        value = row.get(self.columns.get(what, ""))
        return (
            value
            if isinstance(value, str)
            else ""
            if value is None or isinstance(value, float)
            else str(value)
        )

    def attributes(self, row: Mapping[str, Any]) -> dict[str, Attribute]:
        """All other fields that an item can have as attributes, and those in its own `attributes`."""
        own = row.get("attributes")
        used = {*self.columns.values(), "attributes", "titles", "phrases"}
        fields = {name: value for name, value in row.items() if name not in used}
        fields |= own if isinstance(own, dict) else {}
        found = {clean(name).lower(): _attribute(value) for name, value in fields.items()}
        return {name: value for name, value in found.items() if name and value is not None}


def meaning(names: Iterable[str]) -> Meaning:
    """What the columns called `names` mean; of several for one thing the first in the list of usual names."""
    known = {key(name): name for name in reversed(list(names))}
    columns = {
        what: known[found]
        for what, usual in _NAMES.items()
        if (found := next((name for name in usual if name in known), None))
    }
    if "user" in columns and "item" in columns and "title" in columns:
        # Each row is an interaction with its item described; an `id` is the row's.
        columns |= {"row": columns["id"], "id": columns["item"]}
    return Meaning(columns)


def language_of(title: str) -> str:
    """Korean where there is Hangul; otherwise English is assumed."""
    return "ko" if _HANGUL.search(title) else "en"


def _attribute(value: Any) -> Attribute | None:
    if isinstance(value, str):
        return _from_text(clean(value))
    if isinstance(value, list):
        names = [clean(part) for part in value if isinstance(part, str)]
        return [name for name in names if 0 < len(name) <= _LONGEST] or None
    if isinstance(value, bool | dict) or value is None:
        return None
    try:
        return value if isinstance(value, int) else number(value)
    except ValueError:
        return None


def _from_text(text: str) -> Attribute | None:
    """A number where it is written as one, a list where there are bars; nothing of a long text."""
    if re.fullmatch(r"-?(0|[1-9]\d{0,14})", text):
        return int(text)
    if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", text):
        return float(text)
    if "|" in text:
        return [part.strip() for part in text.split("|") if part.strip()] or None
    return text if 0 < len(text) <= _LONGEST else None
