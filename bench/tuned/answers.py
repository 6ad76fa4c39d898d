"""Answers of one model to held-out prompts, and what they are worth before and after retrieval."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from annotation.prompt_files import read_prompts
from recsys.catalog import Item
from recsys.domains.registry import open_dataset
from recsys.evaluation.significance import Comparison, compare
from recsys.evaluation.workbench import embed_items
from recsys.llm.base import Backend, Completion, Priority, Request, Sampling
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

    @classmethod
    def of(cls, done: Completion, tokens: Callable[[str], Sequence[int]]) -> Self:
        """What a model has written; `tokens` are those that the quality score counts."""
        score = quality_score(tokens(done.text))
        return cls(text=done.text, tokens=done.tokens, ended=done.finish == "stop", score=score)


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
        found += [Answer.of(done, tokens) for done in backend.complete_many(requests)]
        told(len(found))
    return found


def greedy(max_tokens: int = _TOKENS) -> Sampling:
    """The likeliest words, as they are compared between models."""
    return Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=max_tokens)


@dataclass(frozen=True)
class Judged:
    """What one answer is worth; `rank` is the target's, from 1, by the answer's own vector."""

    valid: bool
    wrong_language: bool
    repeats: bool
    cut_off: bool
    named: bool
    invented: bool
    again: bool
    rank: int


def judge(
    asked: Sequence[Asked], answers: Sequence[Answer], known: dict[str, Catalogue], embedder: Embedder
) -> list[Judged]:
    """Each answer, before and after retrieval."""
    found: list[Judged] = []
    vectors = embedder.embed_queries([answer.text or " " for answer in answers])
    for one, answer, vector in zip(asked, answers, vectors, strict=True):
        catalogue = known[one.dataset]
        title = named_title(answer.text)
        place = catalogue.matcher.match(title) if title else None
        language = language_of(answer.text.replace(title, " ")) == one.language
        repeats = answer.score >= 15.0
        again = place is not None and catalogue.items[place].id in one.history
        found.append(
            Judged(
                valid=language and not repeats and answer.ended and place is not None and not again,
                wrong_language=not language,
                repeats=repeats,
                cut_off=not answer.ended,
                named=bool(title),
                invented=bool(title) and place is None,
                again=again,
                rank=catalogue.ranks(vector[None], one.target, one.history)[0],
            )
        )
    return found


def measures(judged: Sequence[Judged]) -> dict[str, float]:
    """Shares (0 to 1) of the answers, and where retrieval by the answer puts the target."""
    ranks = np.array([one.rank for one in judged])
    named = max(1, sum(one.named for one in judged))

    def share(what: Callable[[Judged], bool]) -> float:
        return float(np.mean([what(one) for one in judged]))

    return {
        "valid": share(lambda one: one.valid),
        "wrong language": share(lambda one: one.wrong_language),
        "score 15 and above": share(lambda one: one.repeats),
        "cut off": share(lambda one: one.cut_off),
        "name an item": share(lambda one: one.named),
        "invented, of those named": sum(one.invented for one in judged) / named,
        "already in the history": share(lambda one: one.again),
        "hr@10": float(np.mean(ranks <= 10)),
        "mrr": float(np.mean(1 / ranks)),
        "median rank": float(np.median(ranks)),
    }


def compared(after: Sequence[Judged], before: Sequence[Judged]) -> dict[str, Comparison]:
    """What has changed in the answers to the same prompts, with paired tests."""

    def change(value: Callable[[Judged], float]) -> Comparison:
        now, then = (np.array([value(one) for one in side], dtype=float) for side in (after, before))
        return compare(now, then)

    return {"valid": change(lambda one: one.valid), "mrr": change(lambda one: 1 / one.rank)}
