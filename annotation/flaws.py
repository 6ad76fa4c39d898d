"""What is wrong with a candidate before a person sees it: empty, cut off, a near copy, or repeating."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from rapidfuzz import fuzz

from annotation.records import CandidateRecord, Mark
from recsys.synthesis.quality import QualityRules, folded, quality_score

NEAR_DUPLICATE = 95.0
"""From this similarity on (rapidfuzz's normalised Indel similarity, 0 to 100) two answers are one."""

MAX_SCORE = QualityRules().max_score


@runtime_checkable
class _Tokenizes(Protocol):
    def token_ids(self, text: str) -> list[int]: ...


def flaws(candidates: Sequence[CandidateRecord], scores: Sequence[float]) -> list[tuple[Mark, ...]]:
    """The flaws of each candidate, whose `repetition` is in `scores`; of two near copies the later has it."""
    texts = [folded(candidate.text) for candidate in candidates]
    found: list[tuple[Mark, ...]] = []
    for index, (candidate, text) in enumerate(zip(candidates, texts, strict=True)):
        marks: list[Mark] = []
        if not text:
            marks.append("empty")
        elif any(fuzz.ratio(text, other) >= NEAR_DUPLICATE for other in texts[:index]):
            marks.append("near duplicate")
        if candidate.finish == "length":
            marks.append("cut off")
        if scores[index] >= MAX_SCORE:
            marks.append("repeating")
        found.append(tuple(marks))
    return found


def repetition(text: str, tokens: int, backend: object = None) -> float:
    """The quality score ln(L) * L / C over the model's tokens; high for text that repeats itself.

    A backend that does not tell its tokens (a server) is judged by words: `tokens` is then L, and the
    share of distinct tokens is taken to be that of distinct words.
    """
    if isinstance(backend, _Tokenizes):
        return quality_score(backend.token_ids(text))
    words = folded(text).split()
    return math.log(tokens) * len(words) / len(set(words)) if words and tokens > 1 else 0.0
