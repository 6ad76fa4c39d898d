"""What is known of a product of Amazon's, from a row of any edition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from recsys.catalog import Attribute
from recsys.domains.values import clean, number, without_tags

_CATEGORIES = 8
_AUTHOR_PAGE = re.compile(r"^Visit Amazon's (?P<name>.+) Page$")


def product_id(row: Mapping[str, Any]) -> str:
    """The id that reviews join on: the parent's, where the edition has one. Empty where there is none."""
    found = row.get("parent_asin") or row.get("asin")
    return found.strip() if isinstance(found, str) else ""


def is_page_source(title: str) -> bool:
    """Whether a title is a piece of the page that it was taken from, as some of 2018 are."""
    return title.startswith("<") or "getTime()" in title


def product_text(row: Mapping[str, Any]) -> str:
    """Description and features."""
    parts: list[str] = []
    for key in ("description", "features", "feature"):
        value = row.get(key) or ()
        parts += [value] if isinstance(value, str) else [part for part in value if isinstance(part, str)]
    return clean(without_tags(" ".join(parts)))


def product_attributes(row: Mapping[str, Any]) -> dict[str, Attribute]:
    """Brand, categories and price, where there are any."""
    attributes: dict[str, Attribute] = {}
    brand = row.get("store") or row.get("brand")
    if isinstance(brand, str) and (brand := _AUTHOR_PAGE.sub(r"\g<name>", clean(without_tags(brand)))):
        attributes["brand"] = brand
    categories = row.get("categories") or row.get("category") or ()
    if isinstance(categories, list | tuple):
        flat = [part for c in categories for part in (c if isinstance(c, list | tuple) else [c])]
        names = (clean(without_tags(name)) for name in flat if isinstance(name, str))
        if found := list(dict.fromkeys(name for name in names if name)):
            attributes["categories"] = found[:_CATEGORIES]
    with suppress(ValueError):  # no price, a range of prices, or page source
        attributes["price"] = number(str(row.get("price")).strip().lstrip("$").replace(",", ""))
    return attributes
