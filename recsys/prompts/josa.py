"""Korean particles, whose form depends on the sound before them: `영화[을/를]` becomes `영화를`."""

from __future__ import annotations

import re

_MARK = re.compile(r"\[(?!/\])([가-힣]{0,3})/([가-힣]{0,3})\]")
_SKIPPED = " \"'\u2018\u2019\u201c\u201d〈〉《》「」『』()[]!?.,:;…~·\u2013\u2014™®-"
_DIGITS = {"0": "ㅇ", "1": "ㄹ", "3": "ㅁ", "6": "ㄱ", "7": "ㄹ", "8": "ㄹ"}
_SPELLED = {"L": "ㄹ", "M": "ㅁ", "N": "ㄴ", "R": "ㄹ"}

_SAID_OTHERWISE = frozenset(["anime", "sesame", "ballet", "hit", "exit", "kit"])
"""Words that end in a vowel when they are said in Korean, against their spelling."""
_ENDINGS = tuple(
    (re.compile(f"(?:{pattern})$"), final)
    for pattern, final in (
        ("ng", "ㅇ"),
        ("[a-z]le|l", "ㄹ"),
        ("[aeiouy]me|m|mb|mn", "ㅁ"),
        ("[aeiouy]ne|nne|n|gn", "ㄴ"),
        ("ck|(?:^|[^aeiou])[aeiou]k|ook|c", "ㄱ"),
        ("(?:^|[^aeiou])[aeiou][pb]|oup|eep", "ㅂ"),
        ("(?:^|[^aeiou])[aeiou]t|tt|foot|out|iot", "ㅅ"),
    )
)
"""How English words end when they are said in Korean, the first that fits; other words end in a vowel.
A stop after one short vowel closes the syllable (로봇, 업, 북), any other gets a vowel of its own (히트)."""


def attach_particles(text: str, before: str = "") -> str:
    """`before` and `text`, with every `[after a final consonant/after a vowel]` of `text` decided.

    The letter before it decides. Quotation marks, brackets and stops between are passed over. Digits
    count as they are read in Korean, words in Latin letters as Koreans say them, by their spelling.
    로 follows ㄹ too.
    """
    parts = [before]
    end = 0
    for mark in _MARK.finditer(text):
        parts.append(text[end : mark.start()])
        final = _final("".join(parts[-2:]) if parts[-1].strip(_SKIPPED) else "".join(parts))
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
    if word is None:
        return ""
    if word[0].isupper() and len(word[0]) <= 4:
        return _SPELLED.get(last, "")
    said = word[0].lower()
    if said in _SAID_OTHERWISE:
        return ""
    return next((final for pattern, final in _ENDINGS if pattern.search(said)), "")
