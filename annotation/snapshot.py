"""Everything that was judged, read from one moment: what exports and quality measures work on."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Literal

from sqlite_utils import Database

from annotation.database import StoreFile
from annotation.prompts import prompt_of
from annotation.records import Judgement, Mark, PromptRecord
from annotation.shown import judgement_of


@dataclass(frozen=True, slots=True)
class SnapshotCandidate:
    """One candidate with what made it; `position` is its place in the order of sampling."""

    id: str
    position: int
    text: str
    model: str
    adapter: str | None
    seed: int
    sampling: str
    tokens: int
    finish: Literal["stop", "length"]
    marks: tuple[Mark, ...]
    attempts: int


@dataclass(frozen=True, slots=True)
class Rating:
    """A judgement that counts. `order` are the candidates' positions as they were displayed.

    `seconds` is active time, None where none was counted (judgements from before it was).
    """

    judgement: Judgement
    order: tuple[int, ...]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Gold:
    """Which positions are known to be best and worst; at least one of them is."""

    best: int | None
    worst: int | None


@dataclass(frozen=True, slots=True)
class RatedPrompt:
    """A prompt that somebody judged or flagged, with all that is known about it.

    `ratings` are in the order in which they were made. `repeat_of` is the task that this one repeats
    for one annotator.
    """

    id: str
    prompt: PromptRecord
    candidates: tuple[SnapshotCandidate, ...]
    ratings: tuple[Rating, ...]
    flags: tuple[Judgement, ...]
    gold: Gold | None
    repeat_of: str | None

    def position(self, candidate_id: str | None) -> int:
        """The sampling position of one of its candidates."""
        return next(c.position for c in self.candidates if c.id == candidate_id)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The prompts that were judged or flagged, in the order of their ids."""

    prompts: tuple[RatedPrompt, ...]

    def ratings(self) -> list[tuple[RatedPrompt, Rating]]:
        """Every judgement that counts, in the order in which they were made."""
        found = [(prompt, rating) for prompt in self.prompts for rating in prompt.ratings]
        return sorted(found, key=lambda pair: int(pair[1].judgement.id))


def take_snapshot(file: StoreFile) -> Snapshot:
    """Read the store in one transaction."""
    with file.reading() as db:
        rows = list(
            db.query(
                "SELECT j.*, d.positions, a.seconds FROM current_judgements AS j"
                " JOIN displays AS d ON d.prompt_id = j.prompt_id AND d.annotator = j.annotator"
                " LEFT JOIN activity AS a ON a.prompt_id = j.prompt_id AND a.annotator = j.annotator"
                " WHERE j.kind IN ('judge', 'flag') ORDER BY j.id"
            )
        )
        wanted = json.dumps(sorted({row["prompt_id"] for row in rows}))
        prompts = {row["id"]: row for row in _of(db, "prompts", "id", wanted)}
        gold = {
            row["prompt_id"]: Gold(row["best"], row["worst"]) for row in _of(db, "gold", "prompt_id", wanted)
        }
        repeats = {row["prompt_id"]: str(row["original"]) for row in _of(db, "repeats", "prompt_id", wanted)}
        candidates: dict[int, list[SnapshotCandidate]] = defaultdict(list)
        for row in _of(db, "candidates", "prompt_id", wanted):
            candidates[row["prompt_id"]].append(_candidate(row))
    ratings: dict[int, list[Rating]] = defaultdict(list)
    flags: dict[int, list[Judgement]] = defaultdict(list)
    for row in rows:
        if row["kind"] == "flag":
            flags[row["prompt_id"]].append(judgement_of(row))
        else:
            order = tuple(json.loads(row["positions"]))
            ratings[row["prompt_id"]].append(Rating(judgement_of(row), order, row["seconds"]))
    return Snapshot(
        tuple(
            RatedPrompt(
                id=str(number),
                prompt=prompt_of(row),
                candidates=tuple(sorted(candidates[number], key=lambda c: c.position)),
                ratings=tuple(ratings[number]),
                flags=tuple(flags[number]),
                gold=gold.get(number),
                repeat_of=repeats.get(number),
            )
            for number, row in sorted(prompts.items())
        )
    )


def _of(db: Database, table: str, column: str, wanted: str) -> list[dict[str, Any]]:
    query = f"SELECT * FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))"
    return list(db.query(query, [wanted]))


def _candidate(row: dict[str, Any]) -> SnapshotCandidate:
    names = SnapshotCandidate.__dataclass_fields__
    values = {name: row[name] for name in names if name not in ("id", "marks")}
    return SnapshotCandidate(id=str(row["id"]), marks=tuple(json.loads(row["marks"])), **values)
