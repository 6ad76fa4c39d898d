"""Prompts and their candidates in the store, and the claims that keep two samplers off one prompt."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import psutil
from sqlite_utils import Database

from annotation.database import StoreFile, now, row_id
from annotation.records import CANDIDATES, CandidateRecord, ImportedPrompt, PromptRecord, StoredPrompt

CLAIM_SECONDS = 900.0
"""How long a claim holds when its owner dies; far longer than five answers take."""

_LISTS = ("history", "history_items", "options")
_UNSAMPLED = "NOT EXISTS (SELECT 1 FROM candidates AS c WHERE c.prompt_id = p.id)"


class PromptStore:
    """What the sampler needs of the store, and the import of prompts."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def add(self, prompts: Iterable[PromptRecord]) -> int:
        """Store the prompts in this order and return how many were new; known ones are left alone."""
        created = now()
        with self._file.writing() as db:
            known = {row["key"] for row in db.query("SELECT key FROM prompts")}
            new = {p.key: p for p in prompts if p.key not in known}
            db.table("prompts").insert_all(_row(key, p, created) for key, p in new.items())
        return len(new)

    def import_all(self, prompts: Iterable[ImportedPrompt]) -> int:
        """Store prompts with what they bring, and return how many were new.

        Candidates are stored where the prompt has none yet, and it is gold only with the candidates
        that came with it.
        """
        created = now()
        new = 0
        with self._file.writing() as db:
            for prompt in prompts:
                key = prompt.record.key
                known = next(db.query("SELECT id FROM prompts WHERE key = ?", [key]), None)
                if known is None:
                    new += 1
                    number = int(str(db.table("prompts").insert(_row(key, prompt.record, created)).last_pk))
                else:
                    number = known["id"]
                if prompt.candidates and _insert_candidates(db, number, prompt.candidates):
                    _insert_gold(db, number, prompt, created)
        return new

    def unsampled(self, limit: int, languages: Collection[str] | None = None) -> list[StoredPrompt]:
        """The first `limit` prompts without candidates, in the order in which they will be sampled."""
        wanted = None if languages is None else json.dumps(sorted(languages))
        with self._file.reading() as db:
            rows = db.query(
                f"SELECT p.* FROM prompts AS p WHERE {_UNSAMPLED}"
                " AND (:languages IS NULL OR p.language IN (SELECT value FROM json_each(:languages)))"
                " ORDER BY p.id LIMIT :limit",
                {"languages": wanted, "limit": limit},
            )
            return [StoredPrompt(str(row["id"]), prompt_of(row)) for row in rows]

    def unsampled_languages(self, *, without: Collection[str] = ()) -> frozenset[str]:
        """The languages of the prompts that still lack candidates, `without` these prompt ids."""
        with self._file.reading() as db:
            rows = db.query(
                f"SELECT DISTINCT p.language FROM prompts AS p WHERE {_UNSAMPLED}"
                " AND p.id NOT IN (SELECT value FROM json_each(?))",
                [_numbers(without)],
            )
            return frozenset(row["language"] for row in rows)

    def claim(
        self, owner: str, languages: Collection[str], *, without: Collection[str] = ()
    ) -> StoredPrompt | None:
        """The first prompt in one of `languages` that has no candidates and that nobody else samples.

        It is `owner`'s for `CLAIM_SECONDS`, or until `save_candidates` or `release`.
        """
        values = {
            "languages": json.dumps(sorted(languages)),
            "without": _numbers(without),
            "now": time.time(),
        }
        with self._file.writing() as db:
            rows = db.query(
                f"SELECT p.* FROM prompts AS p WHERE {_UNSAMPLED}"
                " AND p.language IN (SELECT value FROM json_each(:languages))"
                " AND p.id NOT IN (SELECT value FROM json_each(:without))"
                " AND p.id NOT IN (SELECT prompt_id FROM claims WHERE expires > :now)"
                " ORDER BY p.id LIMIT 1",
                values,
            )
            row = next(rows, None)
            if row is None:
                return None
            claim = {"prompt_id": row["id"], "owner": owner, "expires": time.time() + CLAIM_SECONDS}
            db.table("claims").insert(claim, pk="prompt_id", replace=True)
            return StoredPrompt(str(row["id"]), prompt_of(row))

    def release(self, prompt_id: str, owner: str) -> None:
        """Give a claimed prompt back without candidates; nothing happens where the claim is not held."""
        with self._file.writing() as db:
            db.execute("DELETE FROM claims WHERE prompt_id = ? AND owner = ?", [row_id(prompt_id), owner])

    def release_dead(self) -> int:
        """Give back what processes of this computer had claimed that are gone; how many owners."""
        with self._file.writing() as db:
            owners = [row["owner"] for row in db.query("SELECT DISTINCT owner FROM claims")]
            dead = [owner for owner in owners if _is_dead(owner)]
            for owner in dead:
                db.execute("DELETE FROM claims WHERE owner = ?", [owner])
        return len(dead)

    def save_candidates(self, prompt_id: str, candidates: Sequence[CandidateRecord]) -> bool:
        """Store all five candidates at once and end the claim.

        False when the prompt has candidates already: the first ones stay. Raises ValueError unless
        there are five.
        """
        if len(candidates) != CANDIDATES:
            raise ValueError(f"{len(candidates)} candidates, {CANDIDATES} wanted")
        number = row_id(prompt_id)
        with self._file.writing() as db:
            db.execute("DELETE FROM claims WHERE prompt_id = ?", [number])
            return _insert_candidates(db, number, candidates)

    def candidates(self, prompt_id: str) -> list[CandidateRecord]:
        """The prompt's candidates with all that made them, in the order of sampling."""
        with self._file.reading() as db:
            rows = db.query(
                "SELECT text, model, adapter, seed, sampling, tokens, finish, left_out, marks, attempts"
                " FROM candidates WHERE prompt_id = ? ORDER BY position",
                [row_id(prompt_id)],
            )
            return [CandidateRecord(**row | {"marks": tuple(json.loads(row["marks"]))}) for row in rows]


def new_owner() -> str:
    """A name for whoever claims prompts in this process."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def _is_dead(owner: str) -> bool:
    """Whether the owner was a process of this computer that is gone."""
    host, _, process = owner.partition(":")
    number = process.split(":")[0]
    return host == socket.gethostname() and number.isdigit() and not psutil.pid_exists(int(number))


def prompt_of(row: dict[str, Any]) -> PromptRecord:
    """The record in a row of `prompts`; other columns of the row are passed over."""
    values = {name: row[name] for name in PromptRecord.__dataclass_fields__}
    return PromptRecord(**values | {name: tuple(json.loads(values[name])) for name in _LISTS})


def find_prompt(db: Database, prompt_id: int) -> PromptRecord | None:
    """The prompt with this row number, or None."""
    row = next(db.query("SELECT * FROM prompts WHERE id = ?", [prompt_id]), None)
    return None if row is None else prompt_of(row)


def _insert_candidates(db: Database, number: int, candidates: Sequence[CandidateRecord]) -> bool:
    """Store them unless the prompt has some; whether they were stored."""
    if db.table("candidates").count_where("prompt_id = ?", [number]):
        return False
    batch, created = uuid.uuid4().hex, now()
    db.table("candidates").insert_all(
        {
            "prompt_id": number,
            "batch": batch,
            "position": position,
            "text": candidate.text,
            "model": candidate.model,
            "adapter": candidate.adapter,
            "seed": candidate.seed,
            "sampling": candidate.sampling,
            "tokens": candidate.tokens,
            "finish": candidate.finish,
            "left_out": candidate.left_out,
            "marks": json.dumps(candidate.marks),
            "attempts": candidate.attempts,
            "created": created,
        }
        for position, candidate in enumerate(candidates)
    )
    return True


def _insert_gold(db: Database, number: int, prompt: ImportedPrompt, created: str) -> None:
    if prompt.best is not None or prompt.worst is not None:
        gold = {"prompt_id": number, "best": prompt.best, "worst": prompt.worst, "created": created}
        db.table("gold").insert(gold)


def _row(key: str, prompt: PromptRecord, created: str) -> dict[str, Any]:
    fields = {name: getattr(prompt, name) for name in PromptRecord.__dataclass_fields__}
    lists = {name: json.dumps(fields[name], ensure_ascii=False) for name in _LISTS}
    return fields | lists | {"key": key, "created": created}


def _numbers(ids: Collection[str]) -> str:
    return json.dumps([row_id(i) for i in ids])
