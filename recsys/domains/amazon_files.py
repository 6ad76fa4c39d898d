"""Which files of Amazon's are what: reviews, ratings only or products; of which edition and category.

What a file holds decides, not its name; the name says the category, and whether it is a part of another file.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from recsys.domains.archives import Member
from recsys.domains.source import Files, Source
from recsys.domains.tables import parse_object

Kind = Literal["reviews", "ratings", "products"]
_MUSIC = re.compile(r"music(?!al_instr)|vinyl")
_PREFIX = re.compile(r"^(meta_|reviews_|ratings_)")
_CORE = re.compile(r"_\d+$")
_PARTS = re.compile(r"\.(train|valid|test)$")
_ASIN = re.compile(r"[0-9B][0-9A-Z]{9}")
_LONGEST_LITERAL = 1 << 20
PRODUCT_COLUMNS = ("parentasin", "asin", "productid", "itemid")
"""The keys of the column of products in ratings that have a header, the preferred one first."""


@dataclass(frozen=True)
class AmazonFile:
    """`rank` orders files of one category: all reviews, those of the k-core, ratings only."""

    member: Member
    kind: Kind
    edition: str
    category: str
    rank: int

    @property
    def is_music(self) -> bool:
        """Whether its category is one of music to listen to."""
        return _MUSIC.search(self.category) is not None


def classify(source: Source, member: Member) -> AmazonFile | None:
    """What a file is, or None where it is none of Amazon's."""
    stem, _, suffix = member.name.rpartition(".")
    found: tuple[Kind, str] | None = None
    if suffix in ("json", "jsonl"):
        objects = (parse_loosely(line) for line in source.head(member))
        found = _of_keys(next((keys for row in objects if row and (keys := row.keys())), set()))
    elif suffix == "csv":
        edition = _edition_of_ratings(source, member)
        found = ("ratings", edition) if edition else None
    if found is None:
        return None
    kind, edition = found
    category = _PREFIX.sub("", _PARTS.sub("", stem))
    core = kind != "products" and _CORE.search(category) is not None
    rank = 2 if kind == "ratings" else int(core)
    return AmazonFile(member, kind, edition, _CORE.sub("", category) if core else category, rank)


def _of_keys(keys: Any) -> tuple[Kind, str] | None:
    if keys >= {"rating", "user_id"} and keys & {"parent_asin", "asin"}:
        return "reviews", "2023"
    if keys >= {"reviewerID", "asin", "overall"}:
        return "reviews", "2014" if "helpful" in keys else "2018"
    if "parent_asin" in keys:
        return "products", "2023"
    if "asin" in keys and not keys & {"reviewerID", "questionType"}:
        return "products", "2014" if keys & {"imUrl", "categories", "salesRank", "related"} else "2018"
    return None


def _edition_of_ratings(source: Source, member: Member) -> str | None:
    """Ratings of 2023 have a header; of those without, 2014 has the user first and 2018 the product."""
    columns = set(source.keys(member))
    if columns >= {"userid", "rating"} and columns & set(PRODUCT_COLUMNS):
        return "2023" if "parentasin" in columns else "2014"
    rows = [row for line in source.head(member) if len(row := line.split(",")) == 4]
    if not rows:
        return None
    first, second = (all(_ASIN.fullmatch(row[at].strip()) for row in rows) for at in (0, 1))
    if first == second:
        return None
    return "2018" if first else "2014"


def choose(files: Sequence[AmazonFile], *, music: bool) -> tuple[str, Files] | None:
    """The edition and the files to read: every category, the fullest file of each, and its products.

    Where categories of music lie beside others, those are read for `music`, and the others otherwise. None
    where there are no reviews.
    """
    read = [file for file in files if file.kind != "products"]
    if any(file.is_music for file in read) and not all(file.is_music for file in read):
        read = [file for file in read if file.is_music == music]
    if not read:
        return None
    counts = Counter(file.edition for file in read)
    edition = max(counts, key=lambda name: (counts[name], name))
    categories: defaultdict[str, list[AmazonFile]] = defaultdict(list)
    for file in read:
        if file.edition == edition:
            categories[file.category].append(file)
    reviews = []
    for found in categories.values():
        best = min(file.rank for file in found)
        reviews += _one_of_each_name(file for file in found if file.rank == best)
    products = [file for file in files if file.kind == "products"]
    fitting = [file for file in products if file.category in categories] or products
    return edition, {"reviews": tuple(reviews), "products": tuple(_one_of_each_name(fitting))}


def _one_of_each_name(files: Iterable[AmazonFile]) -> list[Member]:
    """Without the copies that unpacking leaves beside an archive."""
    members = sorted((file.member for file in files), key=lambda m: (m.name, len(m.place), m.place))
    return [next(same) for _, same in groupby(members, key=lambda member: member.name)]


def parse_loosely(line: str) -> dict[str, Any] | None:
    """A line of JSON, or of the 2014 edition: a Python literal, which is parsed and never run."""
    found = parse_object(line)
    if found is not None or not line.startswith("{") or len(line) > _LONGEST_LITERAL:
        return found
    try:
        value = ast.literal_eval(line)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    return value if isinstance(value, dict) else None
