"""English words of four letters and more that say nothing about what a text is about."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("stopwords.txt")


@cache
def stopwords() -> frozenset[str]:
    """The words in lower case."""
    return frozenset(_FILE.read_text(encoding="utf-8").split())
