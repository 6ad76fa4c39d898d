"""Search queries for the active side: the prompt with seven worked examples, and what counts as one."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from recsys.catalog import Item
from recsys.prompts.build import item_line, language_of
from recsys.prompts.formats import Cues, Example, Prompt
from recsys.prompts.templates import load_templates
from recsys.synthesis.quality import folded, mentions

_FILE = Path(__file__).with_name("data") / "queries.toml"
_LONGEST = {"words": 14, "chars": 90}
_PREFIX = re.compile(
    r"^(?:[-*•.)\s]+|\d+[.)]\s|(?:search )?query\s*\d*\s*:|(?:검색어|질의|요청)\s*:)\s*", re.IGNORECASE
)
_QUOTES = "\"'\u2018\u2019\u201c\u201d`「」『』*_ "
_SYSTEM = {
    "en": "You write what somebody types into a search box when they want such a thing but do not know it "
    "yet: one short phrase in English, without the title.",
    "ko": "어떤 것을 원하지만 아직 그것을 모르는 사람이 검색창에 적을 만한 말을 씁니다. 제목 없이 짧은 "
    "한국어 한 구절만 씁니다.",
}
_CUES = Cues(request="### Item", answer="### Search", lead="")

QueryProblem = Literal["empty", "too long", "repeats the title", "wrong language", "duplicate"]


class WorkedQuery(BaseModel):
    """One item as a line, and what somebody might have typed to find it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str = Field(min_length=1)
    query: str = Field(min_length=1)


class _Set(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: tuple[WorkedQuery, ...] = Field(min_length=7, max_length=7)


@cache
def worked_queries(domain: str, language: str) -> tuple[WorkedQuery, ...]:
    """The seven examples of a domain, the general ones for a domain of the user's own."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    sets = {name: {code: _Set.model_validate(s) for code, s in by.items()} for name, by in data.items()}
    return sets.get(domain, sets["other"])[language].examples


def query_prompt(item: Item, language: str) -> Prompt:
    """Seven items with their queries, and the eighth item."""
    examples = worked_queries(item.domain, language)
    line = item_line(item, load_templates(language))
    text = f"{line}\n{item.text[:300]}" if item.text else line
    return Prompt(
        system=_SYSTEM[language],
        before="",
        after=text,
        examples=tuple(Example(e.item, e.query) for e in examples),
        cues=_CUES,
        language=language,
        always_examples=True,
    )


def parse_query(text: str) -> str:
    """The phrase in a model's answer: its first line without quotes, numbering and final stop."""
    first = next((line for line in text.splitlines() if line.strip(_QUOTES)), "")
    phrase = _PREFIX.sub("", first.strip(_QUOTES)).strip(_QUOTES)
    return " ".join(phrase.rstrip(".").split())


def query_problem(query: str, *, title: str, language: str, taken: set[str]) -> QueryProblem | None:
    """Why `query` cannot be used for the item called `title`, or None; `taken` holds folded queries."""
    if not any(letter.isalnum() for letter in query):
        return "empty"
    if len(query.split()) > _LONGEST["words"] or len(query) > _LONGEST["chars"]:
        return "too long"
    if mentions(query, title):
        return "repeats the title"
    if language_of(query) != language:
        return "wrong language"
    return "duplicate" if folded(query) in taken else None
