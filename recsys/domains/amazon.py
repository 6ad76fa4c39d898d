"""Amazon reviews and products: the editions of 2014, 2018 and 2023, of music or of any other category."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar

from recsys.catalog import Interaction, Item
from recsys.domains.account import Account
from recsys.domains.amazon_files import PRODUCT_COLUMNS, choose, classify, parse_loosely
from recsys.domains.amazon_products import is_page_source, product_attributes, product_id, product_text
from recsys.domains.archives import Member
from recsys.domains.base import Dataset, Edition
from recsys.domains.positive import PositiveRule
from recsys.domains.ratings import UNREADABLE, Columns, header_columns, rating, read_ratings
from recsys.domains.source import Files, Source
from recsys.domains.tables import rows
from recsys.domains.text import blocks, lines
from recsys.domains.values import clean_title, unix_time


class Amazon(Dataset):
    """Products with categories, brand, price and description; reviews of one to five stars, with times.

    All categories that lie side by side are read. Without files of products, every item is untitled.
    """

    name = "amazon"
    domain = "shopping"
    positive = "rating of 4 or more"
    rule = PositiveRule(least={"rating": 4.0})
    editions = (
        Edition("2023", expects="CATEGORY.jsonl and meta_CATEGORY.jsonl, or CATEGORY.csv with a header"),
        Edition("2018", expects="CATEGORY.json and meta_CATEGORY.json, or CATEGORY.csv of product, user"),
        Edition(
            "2014",
            expects="reviews_CATEGORY.json and meta_CATEGORY.json, or ratings_CATEGORY.csv of user, product",
        ),
    )
    _music: ClassVar[bool] = False

    @classmethod
    def recognise(cls, source: Source) -> tuple[Edition, Files] | None:
        """By the first rows of all files."""
        files = [file for member in source.members if (file := classify(source, member))]
        found = choose(files, music=cls._music)
        if found is None:
            return None
        return next(edition for edition in cls.editions if edition.name == found[0]), found[1]

    def _items(self, account: Account) -> Iterator[Item]:
        for member in self.files["products"]:
            for line in lines(member, account):
                if not line.strip():
                    continue
                row = parse_loosely(line) or {}
                product = product_id(row)
                title = clean_title(str(row.get("title") or ""))
                if not product:
                    account.dropped["product row that cannot be read"] += 1
                elif is_page_source(title):
                    account.dropped["item whose title is page source"] += 1
                elif item := self._item(
                    account, product, title, text=product_text(row), attributes=product_attributes(row)
                ):
                    yield item

    def _interactions(self, account: Account) -> Iterator[Interaction]:
        """Reviews; of 2023 by the product's parent, since its variants share one entry."""
        for member in self.files["reviews"]:
            if member.name.endswith(".csv"):
                yield from self._ratings(member, account)
                continue
            for line in lines(member, account):
                if not line.strip():
                    continue
                try:
                    yield self._review(parse_loosely(line) or {}, account)
                except ValueError:
                    account.dropped[UNREADABLE] += 1

    def _review(self, row: dict[str, Any], account: Account) -> Interaction:
        if self.edition == "2023":
            return rating(
                account, row.get("user_id"), product_id(row), row.get("rating"), row.get("timestamp")
            )
        when = row.get("unixReviewTime")
        if unix_time(when) is None:
            when = _day(row.get("reviewTime"))
        return rating(account, row.get("reviewerID"), row.get("asin"), row.get("overall"), when)

    def _ratings(self, member: Member, account: Account) -> Iterator[Interaction]:
        table = rows(blocks(member, account))
        names = self.source.keys(member)
        if "userid" in names:
            product = next(name for name in PRODUCT_COLUMNS if name in names)
            return read_ratings(islice(table, 1, None), header_columns(names, item=product), account)
        user, item = (1, 0) if self.edition == "2018" else (0, 1)
        return read_ratings(table, Columns(user=user, item=item, value=2, time=3), account)


class AmazonMusic(Amazon):
    """The same layouts, for the categories of music."""

    name = "amazon-music"
    domain = "music"
    _music = True


def _day(text: object) -> str:
    """`09 11, 2015` as `2015-09-11`."""
    month, _, rest = str(text).partition(" ")
    day, _, year = rest.partition(", ")
    return f"{year}-{month:0>2}-{day:0>2}"
