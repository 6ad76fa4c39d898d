"""What genres, categories, formats, places and topics are called: the names of the public datasets in words.

`data/glossary/` has a file for stories (films, anime, books, games), music, places, shopping and news.
A term has `en` and `ko` (its name as a noun), and where the language has them
- `mod`, `ko_mod`: the word before the noun of the domain ("crime" in "crime film"),
- `one`, `ko_one`: what one such thing is called ("thriller", "frying pan"),
- `broad`: it says little, since half of the catalogue has it,
- `novel`: a book of it is a novel,
- `feel`: its entry in `feels.toml`, by default the one of its own name,
- `also`: other names that mean it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

_FOLDER = Path(__file__).with_name("data") / "glossary"
_FILES = {
    "films": "stories",
    "anime": "stories",
    "books": "stories",
    "games": "stories",
    "music": "music",
    "places": "places",
    "shopping": "shopping",
    "news": "news",
    "korean-news": "news",
}
_TOPICS = {
    "stories": ("people", "stories"),
    "music": ("music", "stories"),
    "shopping": ("products",),
    "news": ("news", "people"),
    "places": (),
}
_NOISE = frozenset(
    [
        "to",
        "read",
        "books",
        "book",
        "genre",
        "series",
        "favorite",
        "i",
        "own",
        "good",
        "adult",
        "a",
        "the",
        "and",
    ]
)
"""Words of readers' shelves that say nothing of a book ("02 fantasy to read")."""
_PROPER = re.compile(
    r"\b(?:[a-z]*american|british|english|french|german|italian|japanese|chinese|korean|indian|asian|european|"
    r"african|latin|mexican|christian|jewish|christmas|celtic|irish|russian|spanish|broadway|nintendo)\b"
)
_WORD = re.compile(r"[a-z]{3,}")
_LONGEST_UNKNOWN = 28


class Feel(BaseModel):
    """What a kind of thing feels like: words before a noun, and noun phrases."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: tuple[str, ...] = Field(min_length=1)
    moods: tuple[str, ...] = Field(min_length=2)


class Term(BaseModel):
    """One entry of the glossary; see the module's text. An empty name: not known in that language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    ko: str = ""
    mod: str = ""
    ko_mod: str = ""
    one: str = ""
    ko_one: str = ""
    broad: bool = False
    novel: bool = False
    feel: str = ""
    also: tuple[str, ...] = ()

    def name(self, language: str) -> str:
        """The term as a noun."""
        return self.ko if language == "ko" else self.en

    def thing(self, language: str, noun: str) -> str:
        """One thing of this kind, where `noun` is the domain's own ("film"), or nothing."""
        if language == "ko":
            noun = "소설" if self.novel and noun == "책" else noun
            return self.ko_one or (f"{self.ko_mod or self.ko} {noun}" if self.mod and self.ko else "")
        noun = "novel" if self.novel and noun == "book" else noun
        return self.one or (f"{self.mod} {noun}" if self.mod else "")


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    terms: dict[str, Term]
    formats: dict[str, Term] = {}
    places: dict[str, str] = {}


def terms(domain: str, names: Iterable[str]) -> dict[str, Term]:
    """The terms that a domain's genre or category names stand for, by their keys, without repeats."""
    found: dict[str, Term] = {}
    for name in names:
        for key, term in _parsed(domain, name):
            found.setdefault(key, term)
    return found


def format_term(domain: str, name: str) -> Term | None:
    """A format ("TV", "OVA"), where the domain has any."""
    return _file(_FILES[domain]).formats.get(name.casefold()) if domain in _FILES else None


def place_name(name: str, language: str) -> str:
    """A city's name; in Korean nothing where it is not known."""
    if language != "ko" or any("가" <= letter <= "힣" for letter in name):
        return name
    return _file("places").places.get(name.casefold(), "")


def feel(key: str, term: Term, language: str) -> Feel | None:
    """What things of this kind feel like, where the glossary says so."""
    entry = _feels().get(term.feel or key)
    return entry[language] if entry else None


def topics(domain: str, text: str) -> dict[str, tuple[str, str]]:
    """Topics that words of `text` name, in its order: English and Korean name by key."""
    known = _topics(_FILES.get(domain, "stories"))
    found: dict[str, tuple[str, str]] = {}
    for word in _WORD.findall(text.casefold()):
        if (topic := known.get(word)) and topic[0] not in found:
            found[topic[0]] = topic[1], topic[2]
    return found


@lru_cache(50_000)
def _parsed(domain: str, name: str) -> tuple[tuple[str, Term], ...]:
    file = _FILES.get(domain, "stories")
    by_name, known = _names(file), _file(file).terms
    folded = " ".join(name.casefold().split())
    keys = [by_name[folded]] if folded in by_name else _parts(folded, by_name, file)
    if keys:
        return tuple((key, known[key]) for key in keys)
    return _unknown(domain, name)


def _parts(folded: str, by_name: Mapping[str, str], file: str) -> list[str]:
    """The terms of a name that is made of several, when all of it is known; nothing otherwise."""
    pieces = [piece.strip() for piece in re.split(r"\s*[/,>|&]\s*|\s+and\s+", folded) if piece.strip()]
    if len(pieces) > 1 and all(piece in by_name for piece in pieces):
        return [by_name[piece] for piece in pieces]
    if file != "stories":
        return []
    words = [w for w in re.split(r"[^a-z0-9']+", folded) if w]
    keys: list[str] = []
    while words:
        longest = next((n for n in range(len(words), 0, -1) if " ".join(words[:n]) in by_name), 0)
        if longest:
            keys.append(by_name[" ".join(words[:longest])])
        elif words[0] not in _NOISE and not words[0].isdigit():
            return []
        words = words[max(longest, 1) :]
    return keys


def _unknown(domain: str, name: str) -> tuple[tuple[str, Term], ...]:
    """A name that the glossary lacks: said in its own language, where it reads like a category."""
    plain = " ".join(re.sub(r"\s*&\s*", " and ", name).split())
    if re.search("[가-힣]", plain) and len(plain) <= _LONGEST_UNKNOWN:
        return ((plain, Term(en="", ko=plain)),)
    readable = re.fullmatch(r"[A-Za-z][A-Za-z' -]*", plain) and len(plain) <= _LONGEST_UNKNOWN
    alone = " " not in plain and domain == "shopping"  # "Wet" or "Adult" at the end of a path
    if not readable or alone or domain == "books":  # readers' own shelves are no genres
        return ()
    lower = _PROPER.sub(lambda m: m[0].title(), plain.lower())
    words = (
        word if word.isupper() and len(word) > 1 else low
        for word, low in zip(plain.split(), lower.split(), strict=True)
    )
    return ((plain.casefold(), Term(en=" ".join(words))),)


@cache
def _file(name: str) -> _File:
    return _File.model_validate(tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8")))


@cache
def _names(file: str) -> Mapping[str, str]:
    known = _file(file).terms
    return {other: key for key, term in known.items() for other in term.also} | {key: key for key in known}


@cache
def _feels() -> Mapping[str, Mapping[str, Feel]]:
    data = tomllib.loads((_FOLDER / "feels.toml").read_text(encoding="utf-8"))
    return {
        key: {language: Feel.model_validate(entry[language]) for language in ("en", "ko")}
        for key, entry in data.items()
    }


@cache
def _topics(file: str) -> Mapping[str, tuple[str, str, str]]:
    """By every form of a word: the topic's key, and its English and Korean name."""
    data = tomllib.loads((_FOLDER / "topics.toml").read_text(encoding="utf-8"))
    entries = [(key, en, ko) for group in _TOPICS[file] for key, (en, ko) in data[group].items()]
    forms = {f"{key}{end}": (key, en, ko) for key, en, ko in entries for end in ("s", "es")}
    forms |= {f"{key[:-1]}ies": (key, en, ko) for key, en, ko in entries if key.endswith("y")}
    return forms | {key: (key, en, ko) for key, en, ko in entries}
