"""Text cut into the words that BM25 counts: Korean into morphemes, the rest at its letters' ends."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

_HANGUL = re.compile(r"[가-힣]")
_WORD = re.compile(r"\w+")
_CONTENT = ("N", "V", "M", "XR", "SL", "SH", "SN")
"""Tags of morphemes that carry meaning (Sejong tag set): nouns, verbs, modifiers, roots, foreign words,
Chinese characters and numbers. Particles and endings are left out."""

_lock = threading.Lock()  # one tokenizer for all threads, made once


def words(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text, in lower case."""
    found = [_WORD.findall(text.casefold()) for text in texts]
    korean = [number for number, text in enumerate(texts) if _HANGUL.search(text)]
    if korean:
        with _lock:
            parsed = _kiwi().tokenize(texts[number].casefold() for number in korean)
            for number, tokens in zip(korean, parsed, strict=True):
                found[number] = [token.form for token in tokens if token.tag.startswith(_CONTENT)]
    return found


def located(text: str) -> list[tuple[str, int, int]]:
    """The words of one text with where they are in it: (word in lower case, start, end)."""
    if not _HANGUL.search(text):
        return [(m.group().casefold(), m.start(), m.end()) for m in _WORD.finditer(text)]
    with _lock:
        tokens = _kiwi().tokenize(text)
    kept = (token for token in tokens if token.tag.startswith(_CONTENT))
    return [(token.form.casefold(), token.start, token.start + token.len) for token in kept]


@lru_cache(maxsize=1)
def _kiwi() -> Any:
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1, load_multi_dict=False)  # names of several words: 200 MiB more
