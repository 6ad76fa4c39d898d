"""Which words of a passage are also in what was asked, answered or enjoyed: why it may have been found.

Retrieval itself compares vectors, not words; the marks show what a person can check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from recsys.catalog import Item
from recsys.retrieval.words import located
from recsys.stopwords import stopwords

Source = Literal["query", "answer", "history"]

SOURCES: tuple[Source, ...] = ("query", "answer", "history")
"""A word of several is marked as one of the first."""

_MIN_LATIN, _MIN_OTHER = 4, 2
_COMMON_SHARE = 0.6
_COMMON_FROM = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """The characters from `start` to `end` of a passage are a word of `source`."""

    start: int
    end: int
    source: Source


def mark_passages(passages: Sequence[str], texts: Mapping[Source, str]) -> list[tuple[Mark, ...]]:
    """The marks of each passage, in order and without overlaps.

    Function words and short words count for nothing, plural and singular as one. A word of most passages
    (from five passages on) does not tell them apart and is not marked.
    """
    of_word: dict[str, Source] = {}
    for source in reversed(SOURCES):
        if source in texts:
            of_word |= {word: source for word, _, _ in _telling(texts[source])}
    found = [[(w, start, end) for w, start, end in _telling(p) if w in of_word] for p in passages]
    spread = Counter(word for hits in found for word in {w for w, _, _ in hits})
    most = _COMMON_SHARE * len(passages) if len(passages) >= _COMMON_FROM else len(passages)
    return [_in_order([Mark(a, b, of_word[w]) for w, a, b in hits if spread[w] <= most]) for hits in found]


def about(items: Sequence[Item]) -> str:
    """The words of a history: titles, one-line descriptions and attributes, not the whole texts."""
    parts: list[str] = []
    for item in items:
        parts += [*item.all_titles(), *item.phrases.values()]
        for value in item.attributes.values():
            parts += value if isinstance(value, list) else [str(value)]
    return "\n".join(parts)


def _telling(text: str) -> list[tuple[str, int, int]]:
    """The words that say something, in the form in which they are compared."""
    stop = stopwords()
    kept = []
    for word, start, end in located(text):
        least = _MIN_LATIN if word.isascii() else _MIN_OTHER
        if len(word) >= least and word not in stop and not (word.isdigit() and len(word) < _MIN_LATIN):
            kept.append((_singular(word), start, end))
    return kept


def _singular(word: str) -> str:
    if not word.isascii() or word.endswith("ss"):
        return word
    if word.endswith("ies") and len(word) > 5:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") else word


def _in_order(marks: list[Mark]) -> tuple[Mark, ...]:
    kept: list[Mark] = []
    for mark in sorted(marks, key=lambda m: m.start):
        if mark.end > mark.start and (not kept or mark.start >= kept[-1].end):
            kept.append(mark)
    return tuple(kept)
