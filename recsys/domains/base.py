"""What every dataset offers: its items, its interactions, and an account of what was dropped."""

from __future__ import annotations

import html
import math
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from recsys.catalog import MAX_TITLE_CHARS, Interaction, Item
from recsys.domains.source import Member, Source
from recsys.errors import DatasetFormatError


@dataclass(frozen=True)
class Edition:
    """One layout of a dataset: the files that it must have, and may have, as patterns of names by role."""

    name: str
    files: Mapping[str, str]
    optional: Mapping[str, str] = field(default_factory=dict)


class Dataset(ABC):
    """One dataset that lies under a path. `dropped` counts rows by reason while they are read."""

    name: ClassVar[str]
    domain: ClassVar[str]
    positive: ClassVar[str]
    """What counts as liking an item, in words; `is_positive` decides."""
    editions: ClassVar[tuple[Edition, ...]]

    def __init__(self, source: Source, edition: Edition, files: Mapping[str, Member]) -> None:
        self.source = source
        self.edition = edition.name
        self.files = files
        self.dropped: Counter[str] = Counter()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Recognise the edition under `path`; raises DatasetFormatError and DatasetFileError."""
        source = Source(path)
        for edition in cls.editions:
            files = {role: source.find(pattern) for role, pattern in edition.files.items()}
            whole = {role: member for role, member in files.items() if member is not None}
            if len(whole) < len(files):
                continue
            for role, pattern in edition.optional.items():
                if member := source.find(pattern):
                    whole[role] = member
            if cls._recognises(source, edition, whole):
                return cls(source, edition, whole)
        expected = "; or ".join(
            f"{', '.join(_readable(p) for p in e.files.values())} ({e.name})" for e in cls.editions
        )
        found = ", ".join(member.name for member in source.members[:8])
        more = len(source.members) - 8
        raise DatasetFormatError(
            name=cls.name, path=path, expected=expected, found=found + (f" and {more} more" * (more > 0))
        )

    @classmethod
    def _recognises(cls, source: Source, edition: Edition, files: Mapping[str, Member]) -> bool:
        """Whether the contents are this edition's, where the names alone do not say."""
        return True

    @abstractmethod
    def items(self) -> Iterator[Item]:
        """Every item once, those without a title left out and counted."""

    @abstractmethod
    def interactions(self) -> Iterator[Interaction]:
        """Every interaction that can be used, in the order of the file."""

    @abstractmethod
    def is_positive(self, interaction: Interaction) -> bool:
        """Whether the user liked the item; see `positive`."""

    def _once(self, interactions: Iterator[Interaction]) -> Iterator[Interaction]:
        """Without rows that are there twice. Holds one number a row: 10 million take about 0.9 GB."""
        seen: set[int] = set()
        for interaction in interactions:
            key = hash(interaction)
            if key in seen:
                self.dropped["duplicate row"] += 1
                continue
            seen.add(key)
            yield interaction


_LAST_TIME = 7_258_118_400
_ARTICLE = re.compile(r"^(?P<title>.+?), (?P<article>The|A|An|L'|La|Le|Les|Il|El|Los|Las|Das|Der|Die)$")


def number(text: str) -> float:
    """A finite number; raises ValueError for anything else."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number")
    return value


def unix_time(text: str) -> int:
    """Whole seconds since 1970; raises ValueError for anything else, or after the year 2200."""
    value = number(text)
    if not 0 <= value < _LAST_TIME:
        raise ValueError(f"{text!r} is not a time in seconds")
    return int(value)


def unmove_article(title: str) -> str:
    """`Matrix, The` as `The Matrix`."""
    match = _ARTICLE.match(title.strip())
    if match is None:
        return title.strip()
    space = "" if match["article"].endswith("'") else " "
    return f"{match['article']}{space}{match['title']}"


def clean(text: str) -> str:
    """Text without HTML entities, control characters and runs of blanks."""
    unescaped = html.unescape(html.unescape(text)) if "&" in text else text
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in unescaped)).strip()


def clean_title(text: str) -> str:
    """A title that an Item takes."""
    return clean(text)[:MAX_TITLE_CHARS]


def _readable(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern)
