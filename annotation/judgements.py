"""The append-only log of what annotators chose.

For one prompt and one annotator the rows form a chain, each superseding the one before, and the
last one counts: `judge`, `skip` and `flag` close the prompt, `undo` opens it again. Nothing is ever
changed or deleted; the schema sees to it.
"""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from annotation.activity import tick
from annotation.database import StoreFile, now, row_id
from annotation.errors import FlagReasonError, ReasonTooLongError, SameCandidateError, UnknownCandidateError
from annotation.leases import end_lease, renew_lease
from annotation.records import Counts, Judgement, Kind, Progress, Task
from annotation.shown import judgement_of, last_judgement, show

MAX_REASON_CHARS = 500

_MINE = "NOT EXISTS (SELECT 1 FROM repeats AS r WHERE r.prompt_id = p.id AND r.annotator <> :annotator)"


class JudgementStore:
    """Judgements, undo and progress. Annotators are names, tasks are prompt ids."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def judge(self, task_id: str, annotator: str, best: str, worst: str) -> Judgement:
        """Tag the best and the worst candidate; a task that was closed before is revised.

        It is on the disk when this returns. The same judgement twice in a row (a double click, a
        request sent again) is one row. Raises SameCandidateError, UnknownTaskError,
        TaskNotShownError or UnknownCandidateError.
        """
        if best == worst:
            raise SameCandidateError()
        with self._file.writing() as db:
            last = last_judgement(db, task_id, annotator)
            for candidate in (best, worst):
                found = db.table("candidates").count_where(
                    "id = ? AND prompt_id = ?", [row_id(candidate), row_id(task_id)]
                )
                if not found:
                    raise UnknownCandidateError(candidate_id=candidate, task_id=task_id)
            if last and (last.kind, last.best, last.worst) == ("judge", best, worst):
                _close(db, task_id, annotator)
                return last
            return _append(db, task_id, annotator, "judge", last, chosen=(row_id(best), row_id(worst)))

    def skip(self, task_id: str, annotator: str, reason: str = "") -> Judgement:
        """Put the task aside for this annotator; skipping again for the same reason is one row.

        Raises UnknownTaskError, TaskNotShownError, or ReasonTooLongError over 500 characters.
        """
        return self._put_aside(task_id, annotator, "skip", reason)

    def flag(self, task_id: str, annotator: str, reason: str) -> Judgement:
        """Say that something is wrong with the task: nobody gets it any more, and it gives no pairs.

        Undoing or judging it takes the flag back. Raises FlagReasonError without a reason, and what
        `skip` raises.
        """
        if not reason.split():
            raise FlagReasonError()
        return self._put_aside(task_id, annotator, "flag", reason)

    def undo(self, annotator: str) -> Task | None:
        """Cancel the annotator's latest judgement, skip or flag that counts, and give its task back.

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
            last = judgement_of(row)
            _append(db, last.task_id, annotator, "undo", last)
            renew_lease(db, row["prompt_id"], annotator)
            tick(db, annotator, row["prompt_id"])
            return show(db, row["prompt_id"], annotator)

    def progress(self, annotator: str, language: str | None = None) -> Progress:
        """How far this annotator is, among the prompts of one language or of all."""
        who = {"annotator": annotator, "language": language}
        with self._file.reading() as db:
            closed = next(
                db.query(
                    "SELECT coalesce(sum(j.kind = 'judge'), 0) AS done,"
                    " coalesce(sum(j.kind IN ('skip', 'flag')), 0) AS skipped"
                    " FROM current_judgements AS j JOIN prompts AS p ON p.id = j.prompt_id"
                    " WHERE j.annotator = :annotator AND (:language IS NULL OR p.language = :language)",
                    who,
                )
            )
            total = next(
                db.query(
                    f"SELECT count(*) AS n FROM prompts AS p WHERE {_MINE}"
                    " AND (:language IS NULL OR p.language = :language)",
                    who,
                )
            )
        return Progress(done=closed["done"], total=total["n"], skipped=closed["skipped"])

    def log(self, task_id: str, annotator: str) -> list[Judgement]:
        """Every row about one task and annotator, oldest first."""
        with self._file.reading() as db:
            rows = db.query(
                "SELECT j.*, CASE WHEN EXISTS (SELECT 1 FROM flags AS f WHERE f.judgement_id = j.id)"
                " THEN 'flag' ELSE j.kind END AS kind FROM judgements AS j"
                " WHERE j.prompt_id = ? AND j.annotator = ? ORDER BY j.id",
                [row_id(task_id), annotator],
            )
            return [judgement_of(row) for row in rows]

    def counts(self) -> Counts:
        """How much there is of everything; what is repeated for one annotator is counted once."""
        with self._file.reading() as db:
            judged = db.query(
                "SELECT annotator, count(*) AS n FROM current_judgements WHERE kind = 'judge'"
                " GROUP BY annotator ORDER BY annotator"
            )
            prompts = next(
                db.query(
                    "SELECT count(*) AS n, coalesce(sum("
                    "EXISTS (SELECT 1 FROM candidates AS c WHERE c.prompt_id = p.id)), 0) AS sampled"
                    " FROM prompts AS p WHERE p.id NOT IN (SELECT prompt_id FROM repeats)"
                )
            )
            return Counts(
                prompts=prompts["n"],
                sampled=prompts["sampled"],
                judged={row["annotator"]: row["n"] for row in judged},
            )

    def _put_aside(self, task_id: str, annotator: str, kind: Kind, reason: str) -> Judgement:
        reason = " ".join(reason.split())
        if len(reason) > MAX_REASON_CHARS:
            raise ReasonTooLongError(length=len(reason), limit=MAX_REASON_CHARS)
        with self._file.writing() as db:
            last = last_judgement(db, task_id, annotator)
            if last and (last.kind, last.reason) == (kind, reason):
                return last
            return _append(db, task_id, annotator, kind, last, reason=reason)


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
        "kind": "skip" if kind == "flag" else kind,
        "best": chosen[0],
        "worst": chosen[1],
        "reason": reason,
        "supersedes": None if last is None else row_id(last.id),
        "created": now(),
    }
    number = db.table("judgements").insert(row).last_pk
    if kind == "flag":
        db.table("flags").insert({"judgement_id": number})
    _close(db, task_id, annotator)
    return judgement_of(row | {"id": number, "kind": kind})


def _close(db: Database, task_id: str, annotator: str) -> None:
    """What was half done is done: the time counts, the draft and the lease are over."""
    number = row_id(task_id)
    db.execute("DELETE FROM drafts WHERE prompt_id = ? AND annotator = ?", [number, annotator])
    end_lease(db, number, annotator)
    tick(db, annotator, None)
