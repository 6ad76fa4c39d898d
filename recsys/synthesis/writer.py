"""Writes the rows of one stretch of one source's plan. The same stretch gives the same rows anywhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Self, TypeVar, cast

from recsys.catalog import Item
from recsys.domains.histories import Split
from recsys.prompts.build import harmless
from recsys.prompts.templates import Form, Situation
from recsys.synthesis.config import Language, SynthesisConfig
from recsys.synthesis.instructions import Instruction, instruct, load_instructions
from recsys.synthesis.prepare import PreparedSource
from recsys.synthesis.quality import Reason, Tokenizer, folded, mentions, problem, quality_score
from recsys.synthesis.queries import query_problem
from recsys.synthesis.rows import Row
from recsys.synthesis.tasks import Task
from recsys.synthesis.teachers import Teacher

_ALIKE = 30
"""Hard negatives are drawn from this many nearest items."""
_SHORT_TITLE = 6
_SEVERAL = "other"

K = TypeVar("K")


@dataclass(frozen=True)
class Shard:
    """Rows `begin` to `end` of one source's split."""

    dataset: str
    split: Split
    begin: int
    end: int

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.split}-{self.dataset}-{self.begin:08d}-{self.end:08d}.parquet"

    @classmethod
    def from_name(cls, name: str) -> Self | None:
        """The shard that a file of this name holds, or None."""
        match = re.fullmatch(r"(train|preference|test)-(.+)-(\d{8})-(\d{8})\.parquet", name)
        if match is None:
            return None
        return cls(match[2], cast(Split, match[1]), int(match[3]), int(match[4]))


@dataclass(frozen=True)
class _Draft:
    """A row before its texts."""

    index: int
    task: Task
    template: int
    user: int
    history: list[int]
    target: int
    candidates: list[int]
    situation: Situation
    form: Form
    language: Language


class RowWriter:
    """Holds what the sources of one job need, and writes shard after shard. For one thread."""

    def __init__(
        self,
        config: SynthesisConfig,
        folder: Path,
        *,
        tokenizer: Tokenizer,
        responses: Teacher,
        queries: Teacher,
    ) -> None:
        self._config = config
        self._folder = folder
        self._tokenizer = tokenizer
        self._responses = responses
        self._queries = queries
        self._open: tuple[str, PreparedSource] | None = None

    def write(self, shard: Shard) -> list[Row]:
        """The rows of a shard in order, those that are to be dropped included and marked."""
        source = self._source(shard.dataset)
        drafts = self._drafts(source, shard)
        queries = self._ask_queries(drafts)
        drafts_with_query = [(d, queries.get(d.index, "")) for d in drafts]
        rows = [self._row(source, draft, query) for draft, query in drafts_with_query]
        if shard.split == "preference":
            return rows
        return self._answered(drafts, rows)

    def close(self) -> None:
        """Close the source."""
        if self._open:
            self._open[1].close()
            self._open = None

    def _source(self, dataset: str) -> PreparedSource:
        """One source at a time is held in memory: shards come source by source."""
        if self._open is None or self._open[0] != dataset:
            self.close()
            self._open = dataset, PreparedSource(self._folder / dataset)
        return self._open[1]

    def _drafts(self, source: PreparedSource, shard: Shard) -> list[_Draft]:
        longest = self._config.histories.max_length
        found = [(row, *source.history(shard.split, row, longest)) for row in range(shard.begin, shard.end)]
        alike = dict(zip(*_listed(source, {target for *_, target in found}), strict=True))
        return [
            self._draft(source, shard, row, user, history, target, alike[target])
            for row, user, history, target in found
        ]

    def _draft(
        self,
        source: PreparedSource,
        shard: Shard,
        row: int,
        user: int,
        history: list[int],
        target: int,
        alike: Sequence[int],
    ) -> _Draft:
        config = self._config
        draw = Random(_seed(config.seed, shard.dataset, shard.split, row))
        situation = _weighted(config.situations, draw)
        form = _weighted(config.forms, draw)
        language = _weighted(config.languages, draw)
        candidates: list[int] = []
        if form == "listwise":
            candidates = self._candidates(source, source.liked(user), target, alike, draw)
            form = "listwise" if candidates else "direct"
        template = draw.randrange(len(load_instructions(language).cell(situation, form)))
        items = tuple(source.items.many(history))
        wanted = source.items.get(target)
        domain, before = _domains(source.card.domain, items, wanted)
        task = Task(
            situation=situation,
            form=form,
            language=language,
            domain=domain,
            source=before if situation == "passive" else "",
            history=items if situation == "passive" else (),
            target=wanted,
            options=len(candidates),
            seed=draw.getrandbits(32),
        )
        return _Draft(row, task, template, user, history, target, candidates, situation, form, language)

    def _candidates(
        self, source: PreparedSource, liked: set[int], target: int, alike: Sequence[int], draw: Random
    ) -> list[int]:
        """The target among others of its domain at a drawn place; empty where the source has no other."""
        wanted = self._config.listwise.candidates - 1
        several, domain = source.card.domain == _SEVERAL, source.items.get(target).domain
        own = [code for code in alike if not several or source.items.get(code).domain == domain]
        near = [code for code in own if code not in liked]
        hard = draw.sample(near, min(len(near), round(wanted * self._config.listwise.hard)))
        others = dict.fromkeys(hard)
        for _ in range((200 if several else 20) * wanted):
            if len(others) == wanted:
                break
            code = int(source.known[draw.randrange(len(source.known))])
            if code not in liked and (not several or source.items.get(code).domain == domain):
                others.setdefault(code)
        # Two entries of one title would make the choice a riddle.
        named = {folded(source.items.get(target).title): target}
        for code in others:
            named.setdefault(folded(source.items.get(code).title), code)
        rest = [code for code in named.values() if code != target]
        if not rest:
            return []
        draw.shuffle(rest)
        rest.insert(draw.randrange(len(rest) + 1), target)
        return rest

    def _ask_queries(self, drafts: Sequence[_Draft]) -> dict[int, str]:
        """A query for each active row that got one within the teacher's attempts; unique in the shard."""
        tasks = {d.index: d.task for d in drafts if d.situation == "active"}
        taken: set[str] = set()
        spare: dict[int, str] = {}

        def accept(index: int, text: str) -> bool:
            task = tasks[index]
            found = query_problem(text, title=task.target.title, language=task.language, taken=taken)
            if found == "duplicate":
                spare[index] = text
            elif found is None:
                taken.add(folded(text))
            return found is None

        accepted = _until_accepted(tasks, self._queries.queries, self._queries.attempts, accept)
        # Titles alone give few phrases: a grammar's repeated phrase is better than no row.
        return accepted if self._queries.name != "attributes" else {**spare, **accepted}

    def _row(self, source: PreparedSource, draft: _Draft, query: str) -> Row:
        task = draft.task
        active = draft.situation == "active"
        candidates = source.items.many(draft.candidates)
        told = instruct(
            draft.language,
            draft.form,
            draft.template,
            task.domain,
            source=task.source,
            history=task.history,
            query=query or ("?" if active else ""),
            candidates=candidates,
        )
        title = harmless(task.target.title_in(draft.language))
        return Row(
            dataset=source.card.dataset,
            domain=task.domain,
            index=draft.index,
            situation=draft.situation,
            form=draft.form,
            language=draft.language,
            template=draft.template,
            user=f"{int(source.users[draft.user]):016x}",
            history_ids=tuple(item.id for item in source.items.many(draft.history)),
            target_id=task.target.id,
            target_title=title,
            candidate_ids=tuple(item.id for item in candidates),
            target_position=draft.candidates.index(draft.target) if draft.candidates else None,
            system=told.system,
            heading=told.heading,
            history=told.lines,
            ask=told.ask,
            query=query,
            query_teacher=self._queries.name if active else "",
            dropped=self._instruction_problem(task, query, active, told),
        )

    def _instruction_problem(self, task: Task, query: str, active: bool, told: Instruction) -> Reason | None:
        if active and not query:
            return "no query"
        title = harmless(task.target.title_in(task.language))
        kept = keeps_target(told, title, listwise=task.form == "listwise")
        return None if kept else "target in instruction"

    def _answered(self, drafts: Sequence[_Draft], rows: Sequence[Row]) -> list[Row]:
        tasks = {
            d.index: replace(d.task, query=row.query)
            for d, row in zip(drafts, rows, strict=True)
            if row.dropped is None
        }
        by_index = {row.index: row for row in rows}
        answered: dict[int, Row] = {}

        def accept(index: int, text: str) -> bool:
            answered[index] = self._with_response(by_index[index], harmless(text))
            return answered[index].dropped is None

        _until_accepted(tasks, self._responses.responses, self._responses.attempts, accept)
        return [answered.get(row.index, row) for row in rows]

    def _with_response(self, row: Row, text: str) -> Row:
        tokens = self._tokenizer.tokens(text)
        score = quality_score(tokens)
        dropped: Reason | None = "no response" if not text else None
        dropped = dropped or problem(
            text,
            title=row.target_title,
            language=row.language,
            tokens=tokens,
            score=score,
            rules=self._config.quality,
        )
        return row.model_copy(
            update={
                "response": text,
                "teacher": self._responses.name,
                "tokens": len(tokens),
                "score": score,
                "dropped": dropped,
            }
        )


def _domains(source: str, history: Sequence[Item], target: Item) -> tuple[str, str]:
    """What is asked for and what the history is of: the same, but where a catalogue has several domains."""
    if source != _SEVERAL:
        return source, source
    before = {item.domain for item in history}
    return target.domain or source, before.pop() if len(before) == 1 else source


def keeps_target(instruction: Instruction, title: str, *, listwise: bool) -> bool:
    """Whether the instruction does not give the target away: its title stands among candidates only.

    A title of one short word ("It", "Up") is a word of the language too, and counts only where it is
    a whole history line.
    """
    lines = [line.removeprefix("- ") for line in instruction.lines]
    if len(title) <= _SHORT_TITLE and " " not in title:
        return all(line.split(" (")[0] != title for line in lines)
    return not any(mentions(text, title) for text in (*lines, *([] if listwise else [instruction.ask])))


def _until_accepted(
    tasks: dict[int, Task],
    ask: Callable[[Sequence[Task]], list[str]],
    attempts: int,
    accept: Callable[[int, str], bool],
) -> dict[int, str]:
    """Ask for all tasks, and again for those whose text is not accepted, `attempts` times at most."""
    accepted: dict[int, str] = {}
    for attempt in range(attempts):
        open_tasks = {i: task for i, task in tasks.items() if i not in accepted}
        if not open_tasks:
            break
        texts = ask([task.again(attempt) for task in open_tasks.values()])
        accepted |= {i: text for i, text in zip(open_tasks, texts, strict=True) if accept(i, text)}
    return accepted


def _listed(source: PreparedSource, targets: set[int]) -> tuple[list[int], list[list[int]]]:
    codes = sorted(targets)
    return codes, [found.tolist() for found in source.terms.alike(codes, _ALIKE)]


def _weighted(weights: dict[K, float], draw: Random) -> K:
    names, parts = list(weights), list(accumulate(weights.values()))
    point = draw.random() * parts[-1]
    return next(name for name, upto in zip(names, parts, strict=True) if point < upto)


def _seed(*parts: object) -> int:
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
