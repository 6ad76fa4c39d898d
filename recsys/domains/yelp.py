"""Yelp: places and reviews."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from recsys.catalog import Attribute, Interaction, Item
from recsys.domains.account import Account
from recsys.domains.base import Dataset, Edition
from recsys.domains.layouts import json_lines
from recsys.domains.positive import PositiveRule
from recsys.domains.ratings import UNREADABLE, identity, rating
from recsys.domains.tables import objects
from recsys.domains.text import lines
from recsys.domains.values import clean


class Yelp(Dataset):
    """Places with categories and city; reviews of one to five stars, with times."""

    name = "yelp"
    domain = "places"
    positive = "4 stars or more"
    rule = PositiveRule(least={"rating": 4.0})
    editions = (
        Edition(
            "JSON",
            {
                "places": json_lines("yelp_academic_dataset_business.json", "business_id", "name"),
                "reviews": json_lines("yelp_academic_dataset_review.json", "user_id", "business_id", "stars"),
            },
        ),
    )

    def _items(self, account: Account) -> Iterator[Item]:
        for row in objects(lines(self.file("places"), account)):
            row = row or {}
            try:
                place = identity(row.get("business_id"))
            except ValueError:
                account.dropped["place row that cannot be read"] += 1
                continue
            if item := self._item(account, place, str(row.get("name") or ""), attributes=_attributes(row)):
                yield item

    def _interactions(self, account: Account) -> Iterator[Interaction]:
        for row in objects(lines(self.file("reviews"), account)):
            try:
                row = row or {}
                yield rating(
                    account, row.get("user_id"), row.get("business_id"), row.get("stars"), row.get("date")
                )
            except ValueError:
                account.dropped[UNREADABLE] += 1


def _attributes(row: Mapping[str, Any]) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {}
    kinds = row.get("categories")
    names = kinds if isinstance(kinds, list) else str(kinds or "").split(",")
    if known := [kind for name in names if (kind := clean(str(name)))]:
        attributes["categories"] = known
    for name in ("city", "state"):
        if value := clean(str(row.get(name) or "")):
            attributes[name] = value
    return attributes
