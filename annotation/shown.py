"""A task as one annotator sees it: the order drawn for them, their draft, and what they chose."""

from __future__ import annotations

import json
import random
from typing import Any

from sqlite_utils import Database

from annotation.database import now, row_id
from annotation.errors import TaskNotReadyError, TaskNotShownError, UnknownTaskError
from annotation.prompts import find_prompt
from annotation.records import Candidate, Judgement, State, Task

_STATES: dict[str, State] = {"judge": "judged", "skip": "skipped", "flag": "flagged", "undo": "open"}


def show(db: Database, number: int, annotator: str, asked: str = "") -> Task:
    """The task; its order is drawn when it is first shown, and kept.

    Raises UnknownTaskError (naming `asked`), or TaskNotReadyError when it has no candidates yet.
    """
    prompt = find_prompt(db, number)
    if prompt is None:
        raise UnknownTaskError(task_id=asked or str(number))
    candidates = {
        row["position"]: Candidate(str(row["id"]), row["text"], tuple(json.loads(row["marks"])))
        for row in db.query("SELECT id, position, text, marks FROM candidates WHERE prompt_id = ?", [number])
    }
    if not candidates:
        raise TaskNotReadyError(what="The task", problem=f"Task {number} has none.")
    key = [number, annotator]
    display = next(
        db.query("SELECT positions FROM displays WHERE prompt_id = ? AND annotator = ?", key), None
    )
    if display is not None:
        order: list[int] = json.loads(display["positions"])
    else:
        order = random.sample(sorted(candidates), len(candidates))
        shown = {"prompt_id": number, "annotator": annotator, "positions": json.dumps(order)}
        db.table("displays").insert(shown | {"created": now()})
    last = last_judgement(db, str(number), annotator)
    chosen = last
    if last and last.kind == "undo":
        undone = db.query("SELECT * FROM judgements WHERE id = ?", [last.supersedes])
        chosen = judgement_of(next(undone))
    draft = next(db.query("SELECT best, worst FROM drafts WHERE prompt_id = ? AND annotator = ?", key), None)
    best, worst = (chosen.best, chosen.worst) if chosen else (None, None)
    if draft is not None:
        best, worst = _id(draft["best"]), _id(draft["worst"])
    return Task(
        id=str(number),
        prompt=prompt,
        candidates=tuple(candidates[position] for position in order),
        state=_STATES[last.kind] if last else "open",
        best=best,
        worst=worst,
    )


def require_shown(db: Database, task_id: str, annotator: str) -> None:
    """Raise UnknownTaskError or TaskNotShownError unless the annotator has seen the task."""
    key = [row_id(task_id), annotator]
    if not db.table("displays").count_where("prompt_id = ? AND annotator = ?", key):
        if not db.table("prompts").count_where("id = ?", key[:1]):
            raise UnknownTaskError(task_id=task_id)
        raise TaskNotShownError(task_id=task_id, annotator=annotator)


def last_judgement(db: Database, task_id: str, annotator: str) -> Judgement | None:
    """The row that counts; raises UnknownTaskError or TaskNotShownError where there can be none."""
    require_shown(db, task_id, annotator)
    query = "SELECT * FROM current_judgements WHERE prompt_id = ? AND annotator = ?"
    row = next(db.query(query, [row_id(task_id), annotator]), None)
    return None if row is None else judgement_of(row)


def judgement_of(row: dict[str, Any]) -> Judgement:
    """The record in a row of `judgements` or `current_judgements`."""
    return Judgement(
        id=str(row["id"]),
        task_id=str(row["prompt_id"]),
        annotator=row["annotator"],
        kind=row["kind"],
        best=_id(row["best"]),
        worst=_id(row["worst"]),
        reason=row["reason"],
        supersedes=_id(row["supersedes"]),
        created=row["created"],
    )


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)
