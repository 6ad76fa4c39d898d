"""Values put into a grammar's text, with the particles, articles, verbs and capitals that go with them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from recsys.prompts.josa import attach_particles

_VALUE = re.compile(r"\{([a-z_]+)\}")
_SENTENCE = re.compile(r"(?:^|(?<=[.!?] ))(?=[a-z{])")
_AGREES = re.compile(r"\[(?:(?P<one>[a-z]+)/(?P<more>[a-z]+)|(?P<s>e?s))\]")
_PERSON = re.compile(r"\b(?:[Tt]hey|[Tt]his (?:person|\{fan\})|[Ww]hoever|[Ss]omebody)\b")
_ARTICLE = re.compile(r"\b([Aa])n? (?=(\{[a-z_]+\}|[A-Za-z]))")
_NEEDS_AN = re.compile(r"[\"\u201c'\u2018]?(?!(?:one|once|uni(?!n|m)|use|usu|eur|u[bks])\w*)[aeiouAEIOU]")
_SPELLED_AN = re.compile(r"[\"\u201c]?[AEFHILMNORSX](?:[A-Z]+\b|&)")


def fill(pattern: str, values: Mapping[str, str], *, sentences: bool = True) -> str:
    """A pattern with its values in place, particles and articles chosen, and `sentences` capitalised.

    `[has/have]` and `[s]` agree with the "they" or "this person" before them. What stands in a value is
    left as it is, whatever it looks like; only the first letter of one that begins a sentence is made a
    capital.
    """
    text = _AGREES.sub(_agreed, pattern)
    text = _ARTICLE.sub(lambda m: f"{m[1]}{'n' if _takes_an(text[m.end() :], values) else ''} ", text)
    begins = {m.end() for m in _SENTENCE.finditer(text)} if sentences else set()
    out: list[str] = []
    at = 0
    for mark in _VALUE.finditer(text):
        out.append(_capitals(text[at : mark.start()], at, begins))
        value = values[mark[1]]
        out.append(value[:1].upper() + value[1:] if mark.start() in begins else value)
        at = mark.end()
    out.append(_capitals(text[at:], at, begins))
    return _with_particles(out)


def _with_particles(parts: list[str]) -> str:
    """Pieces of pattern (even places) and values (odd) as one text; only the pattern has particles."""
    done = ""
    for place, part in enumerate(parts):
        if place % 2 or "[" not in part:
            done += part
        else:
            done = attach_particles(part, before=done)
    return done


def _capitals(piece: str, at: int, begins: set[int]) -> str:
    for place in begins:
        if at <= place < at + len(piece):
            inside = place - at
            piece = piece[:inside] + piece[inside : inside + 1].upper() + piece[inside + 1 :]
    return piece


def _agreed(match: re.Match[str]) -> str:
    before = _PERSON.findall(match.string[: match.start()])
    several = bool(before) and before[-1].lower() == "they"
    if match["s"]:
        return "" if several else match["s"]
    return match["more"] if several else match["one"]


def _takes_an(rest: str, values: Mapping[str, str]) -> bool:
    mark = _VALUE.match(rest)
    word = values[mark[1]] if mark else rest
    if re.match(r"[\"\u201c]?[A-Z](?:[A-Z]+\b|&)", word):
        return _SPELLED_AN.match(word) is not None
    return _NEEDS_AN.match(word) is not None
