"""Amazon reviews and products: the editions of 2014, 2018 and 2023, of music or of any other category."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from recsys.catalog import Attribute, Interaction, Item
from recsys.domains.base import Dataset, Edition, clean, clean_title, number, unix_time
from recsys.domains.source import Member, Source

_REVIEWS = r"(?!meta_).+\.jsonl?"
_META = {"products": r"meta_.+\.jsonl?"}
_MARKS = {"2023": {"rating", "parent_asin"}, "2018": {"overall", "verified"}, "2014": {"overall", "helpful"}}
"""Keys that a review of each edition has, and one of the others has not."""


class Amazon(Dataset):
    """Products with categories, brand, price and description; reviews of one to five stars, with times.

    Without the file of products, every item is untitled.
    """

    name = "amazon"
    domain = "shopping"
    positive = "rating of 4 or more"
    editions = tuple(Edition(name, {"reviews": _REVIEWS}, _META) for name in _MARKS)

    def __init__(self, source: Source, edition: Edition, files: Mapping[str, Member]) -> None:
        super().__init__(source, edition, files)
        read = {member.shown for member in files.values()}
        ignored = [m.shown for m in source.members if m.shown not in read and re.search(r"\.jsonl?$", m.name)]
        source.notes += [f"{shown} is not read: give one category at a time" for shown in ignored]

    @classmethod
    def _recognises(cls, source: Source, edition: Edition, files: Mapping[str, Member]) -> bool:
        first = next(source.objects(files["reviews"]), None)
        return first is not None and set(first) >= _MARKS[edition.name]

    def items(self) -> Iterator[Item]:
        """Products with a title, once each."""
        seen: set[str] = set()
        for row in self._products():
            identity = row and (row.get("parent_asin") or row.get("asin"))
            if not isinstance(row, dict) or not isinstance(identity, str):
                self.dropped["product row that cannot be read"] += 1
                continue
            title = clean_title(str(row.get("title") or ""))
            if not title:
                self.dropped["item without title"] += 1
            elif title.startswith("<") or "getTime()" in title:
                self.dropped["item whose title is page source"] += 1
            elif identity in seen:
                self.dropped["item twice"] += 1
            else:
                seen.add(identity)
                yield Item(
                    id=identity[:200],
                    title=title,
                    text=_text(row),
                    domain=self.domain,
                    attributes=_attributes(row),
                )

    def interactions(self) -> Iterator[Interaction]:
        """Reviews; of 2023 by the product's parent, since its variants share one entry."""
        return self._once(self._reviews())

    def is_positive(self, interaction: Interaction) -> bool:
        """See `positive`."""
        return interaction.value >= 4

    def _reviews(self) -> Iterator[Interaction]:
        new = self.edition == "2023"
        keys = ("user_id", "parent_asin", "rating") if new else ("reviewerID", "asin", "overall")
        for row in self.source.objects(self.files["reviews"]):
            try:
                if row is None:
                    raise ValueError("not an object")
                user, item, stars = (row[key] for key in keys)
                if not (isinstance(user, str) and isinstance(item, str) and user and item):
                    raise ValueError("no user or product")
                time = number(str(row["timestamp"])) / 1000 if new else row["unixReviewTime"]
                yield Interaction(user, item, "rating", number(str(stars)), unix_time(str(time)))
            except (ValueError, KeyError):
                self.dropped["review row that cannot be read"] += 1

    def _products(self) -> Iterator[dict[str, Any] | None]:
        member = self.files.get("products")
        if member is None:
            return iter(())
        if self.edition != "2014":
            return self.source.objects(member)
        return (_literal(line) for line in self.source.lines(member) if line.strip())


class AmazonMusic(Amazon):
    """The same layouts, for the categories of music."""

    name = "amazon-music"
    domain = "music"


def _literal(line: str) -> dict[str, Any] | None:
    """A line of the 2014 edition: a Python literal, which is parsed and never run."""
    try:
        value = ast.literal_eval(line)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(row: Mapping[str, Any]) -> str:
    parts: list[str] = []
    for key in ("description", "features" if "features" in row else "feature"):
        value = row.get(key) or ()
        parts += [value] if isinstance(value, str) else [part for part in value if isinstance(part, str)]
    return clean(" ".join(re.sub(r"<[^>]{1,200}>", " ", part) for part in parts))


def _attributes(row: Mapping[str, Any]) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {}
    brand = row.get("store") or row.get("brand")
    if isinstance(brand, str) and (brand := clean(brand)):
        attributes["brand"] = brand
    categories = row.get("categories") or row.get("category") or ()
    if isinstance(categories, list):
        flat = [part for c in categories for part in (c if isinstance(c, list) else [c])]
        if names := list(
            dict.fromkeys(clean(name) for name in flat if isinstance(name, str) and clean(name))
        ):
            attributes["categories"] = names[:8]
    with suppress(ValueError):  # no price, a range of prices, or page source
        attributes["price"] = number(str(row.get("price")).lstrip("$").replace(",", ""))
    return attributes
