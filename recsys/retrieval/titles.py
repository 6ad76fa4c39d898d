"""Which item of a catalogue a name means that a person or a model wrote."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field
from rapidfuzz import fuzz, process

from recsys.catalog import Item

_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_ARTICLE = re.compile(r"^(?:the|a|an)\s+")
_NUMBERS = re.compile(r"\d+")


class MatcherSettings(BaseModel):
    """`least` is the similarity (0 to 100) from which a name means an item; names of fewer than `exact_below`
    characters have to be the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: float = Field(default=88.0, ge=0.0, le=100.0)
    exact_below: int = Field(default=5, ge=0)


class TitleMatcher:
    """The titles of a catalogue, with and without what is in brackets or after a colon.

    Names are compared without case, punctuation and a leading article. A name that differs from a title in
    a number ("Alien 3", "Alien") is never the same. Safe to read from several threads.
    """

    def __init__(self, items: Sequence[Item], settings: MatcherSettings = MatcherSettings()) -> None:
        self._settings = settings
        self._items: dict[str, list[int]] = defaultdict(list)
        for position, item in enumerate(items):
            for title in item.all_titles():
                for form in _forms(title):
                    if position not in self._items[form]:
                        self._items[form].append(position)
        self._forms = list(self._items)

    def match(self, name: str) -> int | None:
        """The position of the item that `name` means, or None where it means none of them."""
        for wanted in _forms(name):
            if wanted in self._items:
                return self._items[wanted][0]
        wanted = _folded(name)
        if len(wanted) < self._settings.exact_below:
            return None
        best = process.extractOne(wanted, self._forms, scorer=fuzz.ratio, score_cutoff=self._settings.least)
        if best is None or _NUMBERS.findall(best[0]) != _NUMBERS.findall(wanted):
            return None
        return self._items[best[0]][0]


def _forms(title: str) -> list[str]:
    """A title whole, without brackets, and up to its colon where that leaves two words."""
    bare = _BRACKETS.sub("", title)
    forms = [_folded(title), _folded(bare)]
    before, colon, _ = bare.partition(":")
    if colon and len(before.split()) > 1:
        forms.append(_folded(before))
    return [form for form in dict.fromkeys(forms) if form]


def _folded(title: str) -> str:
    letters = unicodedata.normalize("NFKC", title).casefold().replace("&", " and ")
    words = re.sub(r"[^\w\s]+", " ", letters.replace("'", "").replace("’", ""))
    return _ARTICLE.sub("", " ".join(words.split()))
