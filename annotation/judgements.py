"""Who is shown what, and the append-only log of what they chose.

For one prompt and one annotator the rows form a chain, each superseding the one before, and the
last one counts: `judge` and `skip` close the prompt, `undo` opens it again. Nothing is ever changed
or deleted; the schema sees to it.
"""

from __future__ import annotations

import json
import random
from typing import Any

from sqlite_utils import Database

from annotation.database import StoreFile, now, row_id
from annotation.errors import (
    ReasonTooLongError,
    SameCandidateError,
    TaskNotReadyError,
    TaskNotShownError,
    UnknownCandidateError,
    UnknownTaskError,
)
from annotation.prompts import find_prompt, prompt_of
from annotation.records import Candidate, Counts, JudgedPrompt, Judgement, Kind, Progress, State, Task

MAX_REASON_CHARS = 500

_STATES: dict[str, State] = {"judge": "judged", "skip": "skipped", "undo": "open"}
_HAS_CANDIDATES = "EXISTS (SELECT 1 FROM candidates AS c WHERE c.prompt_id = p.id)"
_READY = (
    f"FROM prompts AS p WHERE {_HAS_CANDIDATES}"
    " AND NOT EXISTS (SELECT 1 FROM displays AS d WHERE d.prompt_id = p.id AND d.annotator = :annotator)"
    " AND (:language IS NULL OR p.language = :language)"
)
# Shown and not closed. What was undone last comes first, then what was shown first.
_OPEN = (
    "FROM displays AS d JOIN prompts AS p ON p.id = d.prompt_id WHERE d.annotator = :annotator"
    " AND NOT EXISTS (SELECT 1 FROM current_judgements AS j WHERE j.prompt_id = d.prompt_id"
    " AND j.annotator = d.annotator AND j.kind <> 'undo')"
    " AND (:language IS NULL OR p.language = :language)"
    " ORDER BY (SELECT max(u.id) FROM judgements AS u WHERE u.prompt_id = d.prompt_id"
    " AND u.annotator = d.annotator) DESC NULLS LAST, d.id LIMIT 1"
)


class JudgementStore:
    """Assignment, judgements, undo and progress. Annotators are names, tasks are prompt ids."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def next_task(self, annotator: str, language: str | None = None) -> Task | None:
        """The annotator's open task, or else the first ready prompt that they have not seen; or None.

        The same task comes back until it is judged or skipped. The display order is drawn when it
        is first shown, and kept.
        """
        who = {"annotator": annotator, "language": language}
        with self._file.writing() as db:
            found = next(db.query(f"SELECT p.id {_OPEN}", who), None) or next(
                db.query(f"SELECT p.id {_READY} ORDER BY p.id LIMIT 1", who), None
            )
            return None if found is None else _show(db, found["id"], annotator)

    def has_task(self, annotator: str, language: str | None = None) -> bool:
        """Whether `next_task` would give one."""
        who = {"annotator": annotator, "language": language}
        with self._file.reading() as db:
            ready = f"EXISTS (SELECT 1 {_READY})"
            row = next(db.query(f"SELECT EXISTS (SELECT 1 {_OPEN}) OR {ready} AS found", who))
            return bool(row["found"])

    def ready(self, annotator: str, language: str | None = None) -> int:
        """How many prompts have candidates and were not shown to this annotator yet."""
        with self._file.reading() as db:
            return _count(db, f"SELECT count(*) AS n {_READY}", annotator, language)

    def task(self, task_id: str, annotator: str) -> Task:
        """Any task as this annotator sees it; showing it for the first time draws its order.

        Raises UnknownTaskError, or TaskNotReadyError when it has no candidates yet.
        """
        with self._file.writing() as db:
            return _show(db, row_id(task_id), annotator, asked=task_id)

    def judge(self, task_id: str, annotator: str, best: str, worst: str) -> Judgement:
        """Tag the best and the worst candidate; a task judged or skipped before is revised.

        It is on the disk when this returns. The same judgement twice in a row (a double click, a
        request sent again) is one row. Raises SameCandidateError, UnknownTaskError,
        TaskNotShownError or UnknownCandidateError.
        """
        if best == worst:
            raise SameCandidateError()
        with self._file.writing() as db:
            last = _last(db, task_id, annotator)
            for candidate in (best, worst):
                found = db.table("candidates").count_where(
                    "id = ? AND prompt_id = ?", [row_id(candidate), row_id(task_id)]
                )
                if not found:
                    raise UnknownCandidateError(candidate_id=candidate, task_id=task_id)
            if last and (last.kind, last.best, last.worst) == ("judge", best, worst):
                return last
            return _append(db, task_id, annotator, "judge", last, chosen=(row_id(best), row_id(worst)))

    def skip(self, task_id: str, annotator: str, reason: str = "") -> Judgement:
        """Put the task aside for this annotator; skipping again for the same reason is one row.

        Raises UnknownTaskError, TaskNotShownError, or ReasonTooLongError over 500 characters.
        """
        reason = " ".join(reason.split())
        if len(reason) > MAX_REASON_CHARS:
            raise ReasonTooLongError(length=len(reason), limit=MAX_REASON_CHARS)
        with self._file.writing() as db:
            last = _last(db, task_id, annotator)
            if last and (last.kind, last.reason) == ("skip", reason):
                return last
            return _append(db, task_id, annotator, "skip", last, reason=reason)

    def undo(self, annotator: str) -> Task | None:
        """Cancel the annotator's latest judgement or skip that counts, and give its task back.

        The task is open and carries what had been chosen. None when there is nothing to undo.
        """
        with self._file.writing() as db:
            row = next(
                db.query(
                    "SELECT * FROM current_judgements WHERE annotator = ? AND kind <> 'undo'"
                    " ORDER BY id DESC LIMIT 1",
                    [annotator],
                ),
                None,
            )
            if row is None:
                return None
            last = _judgement(row)
            _append(db, last.task_id, annotator, "undo", last)
            return _show(db, row["prompt_id"], annotator)

    def progress(self, annotator: str, language: str | None = None) -> Progress:
        """How far this annotator is, among the prompts of one language or of all."""
        done = (
            "SELECT count(*) AS n FROM current_judgements AS j JOIN prompts AS p ON p.id = j.prompt_id"
            " WHERE j.annotator = :annotator AND j.kind = '{}'"
            " AND (:language IS NULL OR p.language = :language)"
        )
        total = "SELECT count(*) AS n FROM prompts WHERE :language IS NULL OR language = :language"
        with self._file.reading() as db:
            return Progress(
                done=_count(db, done.format("judge"), annotator, language),
                total=_count(db, total, annotator, language),
                skipped=_count(db, done.format("skip"), annotator, language),
                ready=_count(db, f"SELECT count(*) AS n {_READY}", annotator, language),
            )

    def log(self, task_id: str, annotator: str) -> list[Judgement]:
        """Every row about one task and annotator, oldest first."""
        with self._file.reading() as db:
            rows = db.query(
                "SELECT * FROM judgements WHERE prompt_id = ? AND annotator = ? ORDER BY id",
                [row_id(task_id), annotator],
            )
            return [_judgement(row) for row in rows]

    def judged(self) -> list[JudgedPrompt]:
        """The judgements that count, in the order in which they were made, all from one moment."""
        effective = "SELECT * FROM current_judgements WHERE kind = 'judge'"
        with self._file.reading() as db:
            rows = list(db.query(f"{effective} ORDER BY id"))
            ids = f"IN (SELECT prompt_id FROM ({effective}))"
            prompts = {row["id"]: prompt_of(row) for row in db.query(f"SELECT * FROM prompts WHERE id {ids}")}
            candidates: dict[int, list[Candidate]] = {number: [] for number in prompts}
            texts = f"SELECT id, prompt_id, text FROM candidates WHERE prompt_id {ids}"
            for row in db.query(f"{texts} ORDER BY prompt_id, position"):
                candidates[row["prompt_id"]].append(Candidate(str(row["id"]), row["text"]))
        return [
            JudgedPrompt(_judgement(row), prompts[row["prompt_id"]], tuple(candidates[row["prompt_id"]]))
            for row in rows
        ]

    def counts(self) -> Counts:
        """How much there is of everything."""
        with self._file.reading() as db:
            judged = db.query(
                "SELECT annotator, count(*) AS n FROM current_judgements WHERE kind = 'judge'"
                " GROUP BY annotator ORDER BY annotator"
            )
            return Counts(
                prompts=db.table("prompts").count,
                sampled=_count(db, f"SELECT count(*) AS n FROM prompts AS p WHERE {_HAS_CANDIDATES}"),
                judged={row["annotator"]: row["n"] for row in judged},
            )


def _show(db: Database, number: int, annotator: str, asked: str = "") -> Task:
    prompt = find_prompt(db, number)
    if prompt is None:
        raise UnknownTaskError(task_id=asked or str(number))
    texts = {
        row["position"]: Candidate(str(row["id"]), row["text"])
        for row in db.query("SELECT id, position, text FROM candidates WHERE prompt_id = ?", [number])
    }
    if not texts:
        raise TaskNotReadyError(what="The task", problem=f"Task {number} has none.")
    display = next(
        db.query("SELECT positions FROM displays WHERE prompt_id = ? AND annotator = ?", [number, annotator]),
        None,
    )
    if display is not None:
        order: list[int] = json.loads(display["positions"])
    else:
        order = random.sample(sorted(texts), len(texts))
        shown = {"prompt_id": number, "annotator": annotator, "positions": json.dumps(order)}
        db.table("displays").insert(shown | {"created": now()})
    last = _last(db, str(number), annotator)
    chosen = last
    if last and last.kind == "undo":
        chosen = _judgement(next(db.query("SELECT * FROM judgements WHERE id = ?", [last.supersedes])))
    return Task(
        id=str(number),
        prompt=prompt,
        candidates=tuple(texts[position] for position in order),
        state=_STATES[last.kind] if last else "open",
        best=chosen.best if chosen else None,
        worst=chosen.worst if chosen else None,
    )


def _last(db: Database, task_id: str, annotator: str) -> Judgement | None:
    """The row that counts; raises UnknownTaskError or TaskNotShownError where there can be none."""
    key = [row_id(task_id), annotator]
    if not db.table("displays").count_where("prompt_id = ? AND annotator = ?", key):
        if not db.table("prompts").count_where("id = ?", key[:1]):
            raise UnknownTaskError(task_id=task_id)
        raise TaskNotShownError(task_id=task_id, annotator=annotator)
    query = "SELECT * FROM current_judgements WHERE prompt_id = ? AND annotator = ?"
    row = next(db.query(query, key), None)
    return None if row is None else _judgement(row)


def _append(
    db: Database,
    task_id: str,
    annotator: str,
    kind: Kind,
    last: Judgement | None,
    *,
    chosen: tuple[int | None, int | None] = (None, None),
    reason: str = "",
) -> Judgement:
    row: dict[str, Any] = {
        "prompt_id": row_id(task_id),
        "annotator": annotator,
        "kind": kind,
        "best": chosen[0],
        "worst": chosen[1],
        "reason": reason,
        "supersedes": None if last is None else row_id(last.id),
        "created": now(),
    }
    return _judgement(row | {"id": db.table("judgements").insert(row).last_pk})


def _judgement(row: dict[str, Any]) -> Judgement:
    ids = {name: None if row[name] is None else str(row[name]) for name in ("best", "worst", "supersedes")}
    return Judgement(
        id=str(row["id"]),
        task_id=str(row["prompt_id"]),
        annotator=row["annotator"],
        kind=row["kind"],
        reason=row["reason"],
        created=row["created"],
        **ids,
    )


def _count(db: Database, sql: str, annotator: str = "", language: str | None = None) -> int:
    row = next(db.query(sql, {"annotator": annotator, "language": language}))
    return int(row["n"])
