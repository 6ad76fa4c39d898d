"""The vocabulary of the whole project: items, interactions and histories."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints

Attribute = str | int | FiniteFloat | list[str]
"""One attribute's value: a maker, a year, a price, or several genres."""

MAX_TITLE_CHARS = 500

ItemId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TITLE_CHARS)]


class Item(BaseModel):
    """One thing that can be recommended: a film, an article, a shop's product.

    `titles` and `phrases` hold the title and a one-line description in other languages, by
    language code; `title` and `text` are in `language`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: ItemId
    title: Title
    text: str = ""
    domain: str = ""
    language: str = "en"
    titles: dict[str, Title] = Field(default_factory=dict)
    phrases: dict[str, str] = Field(default_factory=dict)
    attributes: dict[str, Attribute] = Field(default_factory=dict)
    url: str | None = None

    def title_in(self, language: str) -> str:
        """The title in `language` where one is in use, otherwise the item's own title."""
        return self.titles.get(language, self.title)

    def all_titles(self) -> tuple[str, ...]:
        """Every title the item goes by, its own first."""
        return (self.title, *(t for t in self.titles.values() if t != self.title))


@dataclass(frozen=True, slots=True)
class ItemRef:
    """An item of a history, by catalogue and id. `title` stands in where it is no longer there, and is all
    there is of something typed (`catalog` "")."""

    catalog: str
    id: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that one user did with one item.

    `value` is in the units of `signal` (stars for `rating`, hours for `play`, 1.0 for `click` and
    `purchase`); `time` is in Unix seconds, or None where the source has no time.
    """

    user: str
    item: str
    signal: str
    value: float = 1.0
    time: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What one person consumed, oldest first; items may come from several domains."""

    items: tuple[Item, ...]
    user: str = ""
    query: str = field(default="")

    @property
    def item_ids(self) -> frozenset[str]:
        """The ids of the items, for leaving them out of a recommendation."""
        return frozenset(item.id for item in self.items)
