"""The parts of an answer: what it concludes, and the items that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

AnswerPart = Literal["whole", "conclusion", "named"]
"""What of an answer is embedded: all of it, without what was thought and its first sentence, or the item
that it names."""

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?。])\s+")
_QUOTED = re.compile(r"[“\"«《〈‘『「]([^”\"»》〉’』」]{1,120})[”\"»》〉’』」]")
_FITS = re.compile(
    r"(?:^|[.!?]\s+)(?P<title>[^.!?]{2,120}?)\s+"
    r"(?:fits|answers|matches|suits|is (?:a|the) (?:good|best|right))\b"
)
_FITS_KO = re.compile(
    r"(?:^|[.!?]\s+)(?P<title>[^.!?]{1,80}?)(?:이|가|은|는|을|를)?\s*(?:잘 맞|어울|추천|알맞)"
)
_STRONG = re.compile(r"(\*{1,2}|_{1,2})(?=\S)([^*_\n]{2,120}?)(?<=\S)\1(?!\w)")
_MAX_WORDS, _SMALL_WORD = 10, 3
_BY = re.compile(r"\s+by\s+[^,]+$")


def answer_part(answer: str, part: AnswerPart) -> str:
    """That part of an answer; "" where there is nothing of it."""
    if part == "conclusion":
        return without_reasoning(answer)
    return named_title(answer) if part == "named" else answer.strip()


@dataclass(frozen=True, slots=True)
class NamedTitle:
    """A name as it is written from `start` to `end` of an answer.

    `sure` is not set where it may be other words: unquoted and without capitals, as all Korean is.
    """

    name: str
    start: int
    end: int
    sure: bool = True


def without_reasoning(answer: str) -> str:
    """The answer without what a model thought aloud, and without its first sentence, which says what the
    person likes; an answer of one sentence stays whole."""
    said = _THOUGHT.sub("", answer).strip()
    first, *rest = _SENTENCE.split(said)
    return " ".join(rest) if rest else first


def named_title(answer: str) -> str:
    """The title that the answer recommends, or "": the last one in quotation marks, else what "fits"."""
    said = _THOUGHT.sub("", answer).strip()
    if quoted := _QUOTED.findall(said):
        return str(quoted[-1]).strip()
    for pattern in (_FITS, _FITS_KO):
        if found := list(pattern.finditer(said)):
            return _BY.sub("", found[-1]["title"].strip(" ,:"))
    return ""


def named_titles(answer: str) -> list[NamedTitle]:
    """Every title that the answer shows as one, in order: in quotation marks, emphasised, or what "fits".

    Whether they exist is another matter. What a model thought aloud is left out; so is what is quoted and
    no name: a long phrase, or Latin letters without a capital.
    """
    thought = [match.span() for match in _THOUGHT.finditer(answer)]
    found: list[NamedTitle] = []
    for pattern, group in ((_QUOTED, 1), (_STRONG, 2), (_FITS, "title"), (_FITS_KO, "title")):
        for match in pattern.finditer(answer):
            one = _named(answer, match.start(group), match.end(group), quoted=isinstance(group, int))
            inside = any(a <= one.start < b for a, b in thought)
            overlaps = any(one.start < other.end and other.start < one.end for other in found)
            if not inside and not overlaps and _can_be_a_name(one.name):
                found.append(one)
    return sorted(found, key=lambda one: one.start)


def _named(answer: str, start: int, end: int, *, quoted: bool) -> NamedTitle:
    name = answer[start:end]
    if not quoted:
        name = _BY.sub("", name.rstrip(" ,:"))
    start += len(name) - len(name.lstrip(" ,:"))
    name = name.strip(" ,:")
    long = [word for word in re.findall(r"[^\W\d_]+", name) if len(word) > _SMALL_WORD]
    capitals = name.isascii() and bool(long) and all(word[0].isupper() for word in long)
    return NamedTitle(name, start, start + len(name), sure=quoted or capitals)


def _can_be_a_name(name: str) -> bool:
    letters = [c for c in name if c.isalpha()]
    if not name or len(name.split()) > _MAX_WORDS:
        return False
    return not letters or not letters[0].isascii() or any(c.isupper() or c.isdigit() for c in name)
