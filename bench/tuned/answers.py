"""Answers of one model to held-out prompts, and what they are worth before and after retrieval."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from annotation.prompt_files import read_prompts
from recsys.catalog import Item
from recsys.domains.registry import open_dataset
from recsys.evaluation.workbench import embed_items
from recsys.llm.base import Backend, Priority, Request, Sampling
from recsys.prompts.build import language_of
from recsys.prompts.formats import Prompt
from recsys.retrieval.answer_text import named_title
from recsys.retrieval.embedders import Embedder, Vectors
from recsys.retrieval.item_matrix import ItemMatrix
from recsys.retrieval.titles import TitleMatcher
from recsys.synthesis.quality import quality_score

_AT_ONCE = 64
_TOKENS = 96


@dataclass(frozen=True)
class Asked:
    """One held-out prompt, and the item that the person really took next."""

    prompt: Prompt
    language: str
    dataset: str
    target: str
    history: tuple[str, ...]
    direct: bool


class Answer(BaseModel):
    """What was written."""

    model_config = ConfigDict(frozen=True)

    text: str
    tokens: int
    ended: bool
    score: float


class Catalogue:
    """One dataset's items, by title and as vectors."""

    def __init__(self, items: Sequence[Item], embedder: Embedder) -> None:
        self.items = items
        self.places = {item.id: place for place, item in enumerate(items)}
        self.matcher = TitleMatcher(items)
        self.matrix: ItemMatrix = embed_items(items, embedder)

    def ranks(self, vectors: Vectors, target: str, without: Sequence[str]) -> list[int]:
        """The target's place, from 1, by each vector's cosine among the items but those in `without`."""
        cosines = self.matrix.cosines(vectors)
        own = cosines[:, [self.places[target]]]
        cosines[:, [self.places[item] for item in without if item in self.places]] = -2.0
        return [int(1 + above) for above in (cosines > own).sum(axis=1)]


def read_asked(path: Path) -> list[Asked]:
    """The preference prompts of a synthesis job."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    prompts = [found.record.to_prompt() for found in read_prompts(path)]
    return [
        Asked(
            prompt,
            row["language"],
            row["dataset"],
            row["target_id"],
            tuple(row["history_items"]),
            row["form"] == "direct",
        )
        for prompt, row in zip(prompts, rows, strict=True)
    ]


def catalogues(sources: dict[str, Path], embedder: Embedder) -> dict[str, Catalogue]:
    """Each dataset's items."""
    return {
        name: Catalogue(list(open_dataset(name, path).items()), embedder) for name, path in sources.items()
    }


def answer_all(
    backend: Backend,
    adapter: str | None,
    asked: Sequence[Asked],
    tokens: Callable[[str], Sequence[int]],
    sampling: Sampling,
    told: Callable[[int], None],
) -> list[Answer]:
    """One answer to each."""
    found: list[Answer] = []
    for begin in range(0, len(asked), _AT_ONCE):
        requests = [
            backend.fit(Request(one.prompt, sampling, adapter=adapter, priority=Priority.BACKGROUND))
            for one in asked[begin : begin + _AT_ONCE]
        ]
        for done in backend.complete_many(requests):
            score = quality_score(tokens(done.text))
            found.append(Answer(text=done.text, tokens=done.tokens, ended=done.finish == "stop", score=score))
        told(len(found))
    return found


def greedy(max_tokens: int = _TOKENS) -> Sampling:
    """The likeliest words, as they are compared between models."""
    return Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=max_tokens)


def measures(
    asked: Sequence[Asked], answers: Sequence[Answer], known: dict[str, Catalogue], embedder: Embedder
) -> dict[str, float]:
    """Shares (0 to 1) of the answers, and where retrieval by the answer puts the target."""
    valid = wrong = dropped = named = invented = again = 0
    ranks: list[int] = []
    vectors = embedder.embed_queries([answer.text or " " for answer in answers])
    for one, answer, vector in zip(asked, answers, vectors, strict=True):
        catalogue = known[one.dataset]
        title = named_title(answer.text)
        place = catalogue.matcher.match(title) if title else None
        language = language_of(answer.text.replace(title, " ")) == one.language
        repeated = answer.score >= 15.0
        seen = place is not None and catalogue.items[place].id in one.history
        wrong += not language
        dropped += repeated
        named += bool(title)
        invented += bool(title) and place is None
        again += seen
        valid += language and not repeated and answer.ended and place is not None and not seen
        ranks += catalogue.ranks(vector[None], one.target, one.history)
    count = len(asked)
    direct = [rank for one, rank in zip(asked, ranks, strict=True) if one.direct]
    return {
        "valid": valid / count,
        "wrong language": wrong / count,
        "score 15 and above": dropped / count,
        "cut off": sum(not answer.ended for answer in answers) / count,
        "name an item": named / count,
        "invented, of those named": invented / max(named, 1),
        "already in the history": again / count,
        "hr@10": float(np.mean(np.array(ranks) <= 10)),
        "mrr": float(np.mean(1 / np.array(ranks))),
        "median rank": float(np.median(ranks)),
        "median rank, direct prompts": float(np.median(direct)),
    }
