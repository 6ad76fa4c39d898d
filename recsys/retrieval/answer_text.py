"""The parts of an answer: what it concludes, and the item that it names."""

from __future__ import annotations

import re
from typing import Literal

AnswerPart = Literal["whole", "conclusion", "named"]
"""What of an answer is embedded: all of it, without what was thought and its first sentence, or the item
that it names."""

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?。])\s+")
_QUOTED = re.compile(r"[“\"«《〈‘『「]([^”\"»》〉’』」]{2,120})[”\"»》〉’』」]")
_FITS = re.compile(
    r"(?:^|[.!?]\s+)(?P<title>[^.!?]{2,120}?)\s+"
    r"(?:fits|answers|matches|suits|is (?:a|the) (?:good|best|right))\b"
)
_FITS_KO = re.compile(
    r"(?:^|[.!?]\s+)(?P<title>[^.!?]{1,80}?)(?:이|가|은|는|을|를)?\s*(?:잘 맞|어울|추천|알맞)"
)
_BY = re.compile(r"\s+by\s+[^,]+$")


def answer_part(answer: str, part: AnswerPart) -> str:
    """That part of an answer; "" where there is nothing of it."""
    if part == "conclusion":
        return without_reasoning(answer)
    return named_title(answer) if part == "named" else answer.strip()


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
