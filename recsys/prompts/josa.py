"""Korean particles, whose form depends on the sound before them: `영화[을/를]` becomes `영화를`."""

from __future__ import annotations

import re

_MARK = re.compile(r"\[(?!/\])([가-힣]{0,3})/([가-힣]{0,3})\]")
_SKIPPED = " \"'\u2018\u2019\u201c\u201d〈〉《》「」『』()[]!?.,…~-"
_DIGITS = {"0": "ㅇ", "1": "ㄹ", "3": "ㅁ", "6": "ㄱ", "7": "ㄹ", "8": "ㄹ"}
_LETTERS = {"l": "ㄹ", "r": "", "m": "ㅁ", "n": "ㄴ", "b": "ㅂ", "p": "ㅂ", "k": "ㄱ", "t": "ㅅ", "c": "ㄱ"}
_SPELLED = {"L": "ㄹ", "M": "ㅁ", "N": "ㄴ", "R": "ㄹ"}


def attach_particles(text: str) -> str:
    """`text` with every `[after a final consonant/after a vowel]` decided by the letter before it.

    Quotation marks and brackets between are passed over. Digits and letters count as they are read in
    Korean; a word in Latin letters goes by its spelling, which is right for most. 로 follows ㄹ too.
    """
    parts: list[str] = []
    end = 0
    for mark in _MARK.finditer(text):
        parts.append(text[end : mark.start()])
        final = _final("".join(parts[-1:]) or "".join(parts))
        after_consonant, after_vowel = mark.groups()
        plain = not final or (final == "ㄹ" and after_vowel.startswith("로"))
        parts.append(after_vowel if plain else after_consonant)
        end = mark.end()
    return "".join((*parts, text[end:]))


def _final(text: str) -> str:
    """The final consonant of the last sound: ㄹ, another one, or nothing after a vowel."""
    letters = text.rstrip(_SKIPPED)
    if not letters:
        return ""
    last = letters[-1]
    if "가" <= last <= "힣":
        index = (ord(last) - ord("가")) % 28
        return "" if index == 0 else "ㄹ" if index == 8 else "ㄱ"
    if last.isdigit():
        return _DIGITS.get(last, "")
    word = re.search(r"[A-Za-z]+$", letters)
    if word and word[0].isupper() and len(word[0]) <= 4:
        return _SPELLED.get(last, "")
    if letters.lower().endswith("ng"):
        return "ㅇ"
    return _LETTERS.get(last.lower(), "")
