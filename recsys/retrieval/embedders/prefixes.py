"""What a model wants before a query and before a passage."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Texts before a query and before a passage; None where nobody has said."""

    query: str | None = None
    passage: str | None = None

    def over(self, other: Prefixes) -> Prefixes:
        """These, and where they are None, those of `other`."""
        query = other.query if self.query is None else self.query
        return Prefixes(query, other.passage if self.passage is None else self.passage)


def usual_prefixes(model: str) -> Prefixes:
    """Those of a well-known family of models, by the model's name; none for others."""
    name = model.lower()
    for pattern, prefixes in _families():
        if pattern.search(name):
            return prefixes
    return Prefixes()


@cache
def _families() -> tuple[tuple[re.Pattern[str], Prefixes], ...]:
    file = resources.files(__package__).joinpath("prefixes.toml")
    found = tomllib.loads(file.read_text(encoding="utf-8"))["family"]
    return tuple((re.compile(f["pattern"]), Prefixes(f["query"], f["passage"])) for f in found)
