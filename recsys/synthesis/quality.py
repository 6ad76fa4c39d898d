"""Which responses are good enough to learn from, and why the others are not."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from recsys.prompts.build import language_of

Reason = Literal[
    "score", "too short", "target missing", "wrong language", "near duplicate", "target in instruction",
    "no query", "no response",
]  # fmt: skip
REASONS: tuple[Reason, ...] = (
    "no query", "no response", "target in instruction", "too short", "target missing",
    "wrong language", "score", "near duplicate",
)  # fmt: skip


class QualityRules(BaseModel):
    """What a response must keep. `max_score` itself is out; `min_tokens` of the tokenizer are in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_score: float = Field(default=15.0, gt=0.0)
    min_tokens: int = Field(default=16, ge=1)
    near_duplicate: float = Field(default=0.8, gt=0.0, le=1.0)


class Tokenizer(Protocol):
    """Counts what the quality score is about."""

    def tokens(self, text: str) -> Sequence[int]:
        """Token ids of `text` without begin and end tokens."""


def quality_score(tokens: Sequence[int]) -> float:
    """ln(L) * L / C with L tokens of which C are distinct: high for text that repeats itself.

    0 for no token and for one token.
    """
    length = len(tokens)
    if length < 2:
        return 0.0
    return math.log(length) * length / len(set(tokens))


def problem(
    response: str, *, title: str, language: str, tokens: Sequence[int], score: float, rules: QualityRules
) -> Reason | None:
    """Why the response is to be dropped, the first reason that holds, or None."""
    if len(tokens) < rules.min_tokens:
        return "too short"
    if not mentions(response, title):
        return "target missing"
    if language_of(_without(response, title)) != language:
        return "wrong language"
    if score >= rules.max_score:
        return "score"
    return None


def mentions(text: str, title: str) -> bool:
    """Whether `title` stands in `text` as whole words, whatever the case and spacing."""
    return _title_pattern(folded(title)).search(folded(text)) is not None


def folded(text: str) -> str:
    """Text for comparing: one spelling of each letter, lower case, single blanks."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


@cache
def _title_pattern(title: str) -> re.Pattern[str]:
    # Korean particles follow a title without a blank, so only Latin letters and digits border on it.
    before = r"(?<![a-z0-9])" if title[:1].isalnum() else ""
    after = r"(?![a-z0-9])" if title[-1:].isalnum() else ""
    return re.compile(before + re.escape(title) + after)


def _without(text: str, title: str) -> str:
    return re.sub(re.escape(title), " ", text, flags=re.IGNORECASE)


SKETCH = 32
"""Numbers in the sketch of one response."""

Sketch = npt.NDArray[np.uint32]

_EMPTY = 0xFFFFFFFF
_STEP = np.uint32(0x9E3779B1)


def sketch(text: str) -> Sketch:
    """A MinHash sketch of the text's runs of three words, shape (SKETCH,).

    One permutation, split into bins (Li, Owen and Zhang, "One Permutation Hashing", NIPS 2012), empty
    bins filled from the next full one (Shrivastava and Li, arXiv 1406.4784); the share of equal numbers
    estimates the Jaccard similarity of two texts.
    """
    words = folded(text).split()
    runs = {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))}
    hashes = np.fromiter((_hash(run) for run in runs), np.uint64, len(runs))
    out = np.full(SKETCH, _EMPTY, dtype=np.uint32)
    np.minimum.at(out, (hashes % SKETCH).astype(np.int64), (hashes >> np.uint64(32)).astype(np.uint32))
    full = np.flatnonzero(out != _EMPTY)
    if 0 < len(full) < SKETCH:
        bins = np.arange(SKETCH)
        donor = full[np.searchsorted(full, bins) % len(full)]
        away = ((donor - bins) % SKETCH).astype(np.uint32)
        out = out[donor] + away * _STEP
    return out


def near_duplicates(sketches: npt.NDArray[np.uint32], threshold: float) -> npt.NDArray[np.bool_]:
    """Which rows (shape (rows, SKETCH)) are nearly the same as an earlier one.

    Rows are compared when they agree in one of eight bands of four numbers, each with the first row
    of its band: pairs at 0.9 are found with probability 0.999, at 0.8 with 0.985.
    """
    again = np.zeros(len(sketches), dtype=bool)
    if len(sketches) < 2:
        return again
    for begin in range(0, SKETCH, 4):
        band = np.ascontiguousarray(sketches[:, begin : begin + 4]).view("V16").ravel()
        _, first, group = np.unique(band, return_index=True, return_inverse=True)
        other = first[group]
        rows = np.flatnonzero(other != np.arange(len(sketches)))
        alike = np.zeros(len(rows), dtype=np.float32)
        for start in range(0, len(rows), 65536):
            part = rows[start : start + 65536]
            alike[start : start + 65536] = (sketches[part] == sketches[other[part]]).mean(axis=1)
        again[rows[alike >= threshold]] = True
    return again


def _hash(text: str) -> int:
    import zlib

    data = text.encode("utf-8", "replace")
    return zlib.crc32(data) << 32 | zlib.adler32(data)
