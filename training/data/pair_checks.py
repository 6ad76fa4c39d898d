"""Pairs that teach noise: answers that are nearly the same, cut off, or repeat themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rapidfuzz import fuzz

from recsys.synthesis.quality import quality_score

Finish = Literal["stop", "length"]

IDENTICAL = "chosen and rejected are the same"
NEARLY_IDENTICAL = "chosen and rejected are nearly the same"
CUT_OFF = "an answer is cut off"
REPEATING = "an answer repeats itself"

_LONG = 64
"""Tokens from which an answer without an end counts as cut off; shorter ones ended by themselves."""

_CLOSING = "\"'”’)]》」』*_ "
_SENTENCE_ENDS = ".!?。…！？"
_KOREAN_ENDS = "다요죠까음함"


def alike(chosen: str, rejected: str) -> float:
    """How alike two texts are: 1 less their share of inserted and deleted letters (Indel), 0 to 1."""
    return fuzz.ratio(chosen, rejected) / 100


def is_cut_off(text: str, tokens: int, finish: Finish | None) -> bool:
    """Whether an answer ended in the middle. Where `finish` is not known, one that is long and has
    no end of a sentence counts as such."""
    if finish is not None:
        return finish == "length"
    last = text.rstrip(_CLOSING)[-1:]
    return tokens >= _LONG and last not in _SENTENCE_ENDS + _KOREAN_ENDS


def repeats(tokens: Sequence[int], max_score: float) -> bool:
    """Whether the quality score of the instruction data is `max_score` or more."""
    return quality_score(tokens) >= max_score
