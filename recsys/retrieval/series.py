"""Which series an item belongs to and where in it, as its title says.

Catalogues write it as "The Hunger Games (The Hunger Games, #1)", "Discworld, #3; Death, #1" in brackets,
"Toy Story 2", "The Godfather: Part II" or "Star Wars: Episode IV - A New Hope".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_ROMAN = {"ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10}
_NUMBER = r"(?P<number>\d{1,2}|II|III|IV|V|VI|VII|VIII|IX|X)"
_BRACKETED = re.compile(r"(?P<name>[^(),;#][^();#]*?),?\s+#(?P<number>\d{1,3})(?!\d)")
_PARTED = re.compile(rf"^(?P<name>.{{3,}}?)[:,]? (?:Part|Episode|Vol\.|Volume|Chapter|Season) {_NUMBER}\b")
_NUMBERED = re.compile(rf"^(?P<name>.{{3,}}?) {_NUMBER}(?:$|:| -)")
_SEQUEL, _LATER, _EARLIER = 1.0, 0.5, 0.25


def series_of(title: str) -> tuple[tuple[str, float], ...]:
    """(name, number) of each series that the title names; nothing for a title that names none."""
    found = [(match["name"], match["number"]) for match in _BRACKETED.finditer(title)]
    if not found and (match := _PARTED.match(title) or _NUMBERED.match(title)):
        found = [(match["name"], match["number"])]
    return tuple((_key(name), float(_ROMAN.get(number.casefold(), number))) for name, number in found)


class SeriesIndex:
    """The items of a catalogue by series. A title that is a series' name alone is its first part."""

    def __init__(self, titles: Sequence[str]) -> None:
        self._parts: list[tuple[tuple[str, float], ...]] = [series_of(title) for title in titles]
        names = {name for parts in self._parts for name, _ in parts}
        self._items: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for item, title in enumerate(titles):
            if not self._parts[item] and (name := _key(title)) in names:
                self._parts[item] = ((name, 1.0),)
            for name, number in self._parts[item]:
                self._items[name].append((item, number))
        self._size = len(titles)

    def scores(self, titles: Sequence[str], weights: Sequence[float]) -> npt.NDArray[np.float32]:
        """For each item the largest weight of a title that it follows directly, half of it where it comes
        later in the title's series, a quarter where it comes before, 0 elsewhere; shape (items,)."""
        total = np.zeros(self._size, dtype=np.float32)
        for title, weight in zip(titles, weights, strict=True):
            parts = series_of(title) or ((_key(title), 1.0),)
            for name, number in parts:
                for item, other in self._items.get(name, ()):
                    near = _SEQUEL if other == number + 1 else _LATER if other > number else _EARLIER
                    total[item] = max(total[item], weight * near)
        return total


def _key(name: str) -> str:
    words = re.findall(r"\w+", name.casefold())
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words)
