"""Titles as they are looked up: as keys, and as patterns of what somebody has begun to type."""

from __future__ import annotations

import unicodedata

_TYPED_CHARS = 100
_SYLLABLES, _FINALS, _PER_INITIAL = 0xAC00, 28, 588
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
"""How Unicode orders Korean syllables: 19 first consonants, 588 syllables each, 28 for each vowel."""


def title_key(title: str) -> str:
    """What titles that differ in case, spacing or Unicode form alone have in common."""
    # Text pasted from macOS has Korean syllables in letters (NFD); SQLite takes no lone surrogates.
    folded = " ".join(unicodedata.normalize("NFC", title).casefold().split())
    return folded.encode("utf-8", "replace").decode("utf-8")


def typed_pattern(typed: str) -> str:
    """What is typed as a GLOB pattern for the keys of titles; "" for nothing."""
    key = title_key(typed.replace("\0", ""))[:_TYPED_CHARS]  # a pattern would end there
    if not key:
        return ""
    before, last = key[:-1], key[-1]
    fixed = "".join(f"[{c}]" if c in "*?[" else c for c in before)
    if last in _INITIALS:  # a first consonant: every syllable that begins with it
        first = _SYLLABLES + _INITIALS.index(last) * _PER_INITIAL
        return f"{fixed}[{last}{chr(first)}-{chr(first + _PER_INITIAL - 1)}]"
    code = ord(last) - _SYLLABLES
    if 0 <= code < len(_INITIALS) * _PER_INITIAL and code % _FINALS == 0:  # it may get a last consonant
        return f"{fixed}[{last}-{chr(ord(last) + _FINALS - 1)}]"
    return fixed + (f"[{last}]" if last in "*?[" else last)
