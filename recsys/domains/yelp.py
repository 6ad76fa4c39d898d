"""Yelp: places and reviews."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from recsys.catalog import Attribute, Interaction, Item
from recsys.domains.base import Dataset, Edition, clean, clean_title, number


class Yelp(Dataset):
    """Places with categories and city; reviews of one to five stars, with times."""

    name = "yelp"
    domain = "places"
    positive = "4 stars or more"
    editions = (Edition("JSON", {"places": r".*business.*\.json", "reviews": r".*review.*\.json"}),)

    def items(self) -> Iterator[Item]:
        """Places; where one is, and what it is, are attributes."""
        seen: set[str] = set()
        for row in self.source.objects(self.files["places"]):
            if row is None or not isinstance(row.get("business_id"), str) or not row["business_id"]:
                self.dropped["place row that cannot be read"] += 1
            elif not (title := clean_title(str(row.get("name") or ""))):
                self.dropped["item without title"] += 1
            elif row["business_id"] in seen:
                self.dropped["item twice"] += 1
            else:
                seen.add(row["business_id"])
                attributes: dict[str, Attribute] = {}
                kinds = [clean(kind) for kind in str(row.get("categories") or "").split(",")]
                if known := [kind for kind in kinds if kind]:
                    attributes["categories"] = known
                for name in ("city", "state"):
                    if value := clean(str(row.get(name) or "")):
                        attributes[name] = value
                yield Item(
                    id=row["business_id"][:200], title=title, domain=self.domain, attributes=attributes
                )

    def interactions(self) -> Iterator[Interaction]:
        """Reviews."""
        return self._once(self._reviews())

    def is_positive(self, interaction: Interaction) -> bool:
        """See `positive`."""
        return interaction.value >= 4

    def _reviews(self) -> Iterator[Interaction]:
        for row in self.source.objects(self.files["reviews"]):
            try:
                if row is None:
                    raise ValueError("not an object")
                time = datetime.strptime(row["date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
                user, item, stars = row["user_id"], row["business_id"], number(str(row["stars"]))
                if not (isinstance(user, str) and isinstance(item, str) and user and item):
                    raise ValueError("no user or place")
            except (ValueError, KeyError, TypeError):
                self.dropped["review row that cannot be read"] += 1
                continue
            yield Interaction(user, item, "rating", stars, int(time.timestamp()))
