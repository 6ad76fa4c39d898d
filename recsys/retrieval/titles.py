"""Which item of a catalogue a name means that a person or a model wrote."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from rapidfuzz import fuzz, process

from recsys.catalog import Item

_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_ARTICLE = re.compile(r"^(?:the|a|an)\s+")
_MOVED_ARTICLE = re.compile(r"^(.+), (?:the|a|an)$")
_SUBTITLE = re.compile(r"\s*(?::|;|, or,?|\s[-–—])\s+")
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xv": "15"}
_ROMAN_AT_END = {"v": "5", "x": "10"}
_NUMBERS = re.compile(r"\d+")
_TOKEN = re.compile(r"[\w'’&.-]*\w[\w'’&-]*")
_HANGUL = re.compile(r"[가-힣]")
_PARTICLE = re.compile(
    r"(?:이라는|라는|이라고|라고|에서|처럼|보다|까지|부터|으로|에는|에도|은|는|이|가|을|를|의|와|과|도|에|로|만|나)$"
)
_LONGEST = 9
_SMALL_WORD = 3
_SAME_WORD = 80.0
"""Similarity from which two words can be one word spelt in two ways: "sunset" and "sunrise" are not."""


@dataclass(frozen=True, slots=True)
class TitleInText:
    """The characters from `start` to `end` of a text name the item at `position`."""

    start: int
    end: int
    position: int


class MatcherSettings(BaseModel):
    """`least` is the similarity (0 to 100) from which a name means an item; names of fewer than `exact_below`
    characters have to be the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: float = Field(default=85.0, ge=0.0, le=100.0)
    exact_below: int = Field(default=8, ge=0)


class TitleMatcher:
    """The titles of a catalogue, with and without what is in brackets, and either side of a colon.

    Names are compared without case, accents, punctuation and a leading article, and with Roman numbers as
    digits. A name that differs from a title in a number ("Alien 3", "Alien") or in a whole word is never
    the same. Safe to read from several threads.
    """

    def __init__(self, items: Sequence[Item], settings: MatcherSettings = MatcherSettings()) -> None:
        self._settings = settings
        self._items: dict[str, list[int]] = defaultdict(list)
        for position, item in enumerate(items):
            for title in item.all_titles():
                for form in _forms_of_title(title):
                    if position not in self._items[form]:
                        self._items[form].append(position)
        self._forms = list(self._items)
        self._joined = {form.replace(" ", ""): form for form in reversed(self._forms)}

    def match(self, name: str) -> int | None:
        """The position of the item that `name` means, or None where it means none of them."""
        for wanted in _forms_of_name(name):
            if wanted in self._items:
                return self._items[wanted][0]
        wanted = _folded(_BRACKETS.sub("", name)) or _folded(name)
        if joined := self._joined.get(wanted.replace(" ", "")):
            return self._items[joined][0]
        if len(wanted) < self._settings.exact_below:
            return None
        near = process.extract(
            wanted, self._forms, scorer=fuzz.ratio, score_cutoff=self._settings.least, limit=5
        )
        for form, _, _ in near:
            if _spelt_alike(form, wanted):
                return self._items[form][0]
        return None

    def named_in(self, text: str) -> list[TitleInText]:
        """Every title that stands in `text` as a name, in order and without overlaps, the longest first.

        Only whole titles as they are written; where there are capitals, a name begins its words with them,
        so that "a night train" is not the film "Night Train". A single word at the beginning of a sentence
        says nothing, and short Korean titles have to be in quotation marks: `answer_text.named_titles`.
        """
        tokens = list(_TOKEN.finditer(text))
        found: list[TitleInText] = []
        start = 0
        while start < len(tokens):
            for count in range(min(_LONGEST, len(tokens) - start), 0, -1):
                first, last = tokens[start], tokens[start + count - 1]
                hit = self._named(text, first.start(), last.end())
                if hit:
                    found.append(hit)
                    start += count - 1
                    break
            start += 1
        return found

    def _named(self, text: str, start: int, end: int) -> TitleInText | None:
        name = text[start:end]
        folded = _folded(name)
        if folded in self._items and _like_a_name(text, start, end):
            return TitleInText(start, end, self._items[folded][0])
        particle = _PARTICLE.search(name)
        if particle and particle.start() and (known := self._items.get(_folded(name[: particle.start()]))):
            end = start + particle.start()
            return TitleInText(start, end, known[0]) if _like_a_name(text, start, end) else None
        return None


def _like_a_name(text: str, start: int, end: int) -> bool:
    name = text[start:end]
    if _HANGUL.search(name):
        syllables = len(_HANGUL.findall(name))
        return syllables >= (3 if len(name.split()) == 1 else 4)
    long = [word for word in re.findall(r"[^\W\d_]+", name) if len(word) > _SMALL_WORD]
    if any(word[0].islower() for word in long) or not (name[0].isupper() or name[0].isdigit()):
        return False
    alone = len(name.split()) == 1
    return not (alone and (len(name) < _SMALL_WORD or _begins_sentence(text, start)))


def _begins_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip()
    return not before or before[-1] in ".!?…:"


def _spelt_alike(first: str, second: str) -> bool:
    """Whether two folded names are the same words, but for spelling and spaces."""
    if _NUMBERS.findall(first) != _NUMBERS.findall(second):
        return False
    ours, theirs = first.split(), second.split()
    if len(ours) != len(theirs):
        return fuzz.ratio("".join(ours), "".join(theirs)) >= _SAME_WORD + 10
    return all(fuzz.ratio(a, b) >= _SAME_WORD for a, b in zip(ours, theirs, strict=True))


def _forms_of_title(title: str) -> list[str]:
    """A title whole, without brackets, what is before a subtitle of two words or more, and after of three."""
    bare = _BRACKETS.sub("", title)
    forms = [title, bare]
    before, *after = _SUBTITLE.split(bare, maxsplit=1)
    if after:
        forms += [before] * (len(before.split()) > 1) + [after[0]] * (len(after[0].split()) > 2)
    return _distinct(forms)


def _forms_of_name(name: str) -> list[str]:
    """A name whole, without brackets, and without a subtitle that has no number in it."""
    bare = _BRACKETS.sub("", name)
    forms = [name, bare]
    before, *after = _SUBTITLE.split(bare, maxsplit=1)
    if after and not _NUMBERS.search(_folded(after[0])):
        forms.append(before)
    return _distinct(forms)


def _distinct(forms: Sequence[str]) -> list[str]:
    return [form for form in dict.fromkeys(_folded(form) for form in forms) if form]


def _folded(title: str) -> str:
    letters = unicodedata.normalize("NFKD", title).casefold().replace("&", " and ")
    plain = unicodedata.normalize("NFC", "".join(c for c in letters if not "\u0300" <= c <= "\u036f"))
    plain = _MOVED_ARTICLE.sub(r"\1", plain.strip())
    found = re.sub(r"[^\w\s]+", " ", plain.replace("'", "").replace("’", "")).split()
    numbered = [_ROMAN.get(word, word) for word in found]
    if len(numbered) > 1:
        numbered[-1] = _ROMAN_AT_END.get(numbered[-1], numbered[-1])
    return _ARTICLE.sub("", " ".join(numbered))
