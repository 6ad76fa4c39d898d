"""How a domain is spoken of in answers: its nouns and verbs, its counter in Korean, and numbers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from recsys.demos import DOMAINS
from recsys.prompts.templates import load_templates

_FOLDER = Path(__file__).with_name("data")
_NUMBERS = {
    "en": (
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    ),
    "ko": (
        *("영", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉", "열"),
        *("열하나", "열둘", "열셋", "열넷", "열다섯", "열여섯", "열일곱", "열여덟"),
    ),
}
_KO_COUNTING = {1: "한", 2: "두", 3: "세", 4: "네", 11: "열한", 12: "열두", 13: "열세", 14: "열네"}


class Words(BaseModel):
    """The words of one domain in one language; `one`, `many`, `done` and `next` are the prompts' own.

    English has `do` and `doing`; Korean `do` ("볼"), `doing` ("보는"), `did` ("봤습니다"), `and` ("보고")
    and `unit`, the counter of its things.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str
    one: str
    many: str
    done: str
    next: str
    noun: str = Field(min_length=1)
    fan: str = Field(min_length=1)
    do: str = Field(min_length=1)
    doing: str = Field(min_length=1)
    unit: str = ""
    did: str = ""
    and_: str = Field(default="", alias="and")

    def values(self) -> dict[str, str]:
        """The words as values of a grammar."""
        found: Mapping[str, str] = self.model_dump(exclude={"language"}, by_alias=True)
        return dict(found)


@cache
def load_words(domain: str, language: str) -> Words:
    """The words of a domain, the general ones for a domain of the user's own."""
    data = tomllib.loads((_FOLDER / f"words.{language}.toml").read_text(encoding="utf-8"))
    if missing := {*DOMAINS, "other"} - data.keys():
        raise ValueError(f"words.{language}.toml has no words for {sorted(missing)}")
    wording = load_templates(language).wording(domain)
    return Words(language=language, **wording.model_dump(), **data.get(domain, data["other"]))


def number_word(count: int, language: str, *, counting: bool = False) -> str:
    """A number in letters up to eighteen, in digits above; `counting` is the Korean form before a unit."""
    if counting and language == "ko" and count in _KO_COUNTING:
        return _KO_COUNTING[count]
    words = _NUMBERS[language]
    return words[count] if 0 <= count < len(words) else str(count)


def counted(count: int, words: Words) -> str:
    """So many things of the domain: "ten films", "영화 열 편"."""
    if words.language == "ko":
        return f"{words.noun} {number_word(count, 'ko', counting=True)} {words.unit}"
    return f"{number_word(count, 'en')} {words.many if count != 1 else words.one}"
