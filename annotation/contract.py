"""The JSON shapes of the HTTP contract (`/next_task`, `/judge`): add to them, don't break them."""

from __future__ import annotations

from typing import TypedDict

from annotation.records import Judgement, Progress, Task


class CandidatePayload(TypedDict):
    """One candidate as an annotator sees it."""

    id: str
    text: str


class TaskPayload(TypedDict):
    """Answer of `/next_task`; `task_id` is None and the rest empty when nothing is left."""

    task_id: str | None
    system: str
    instruction: str
    candidates: list[CandidatePayload]


class JudgementPayload(TypedDict):
    """Answer of `/judge`: the row that counts, and the annotator's progress in prompts."""

    judgement_id: str
    done: int
    total: int


def task_payload(task: Task | None) -> TaskPayload:
    """`/next_task`: the candidates in the order in which this annotator sees them."""
    if task is None:
        return {"task_id": None, "system": "", "instruction": "", "candidates": []}
    return {
        "task_id": task.id,
        "system": task.system,
        "instruction": task.instruction,
        "candidates": [{"id": c.id, "text": c.text} for c in task.candidates],
    }


def judgement_payload(judgement: Judgement, progress: Progress) -> JudgementPayload:
    """`/judge`: what was stored, and how far the annotator is now."""
    return {"judgement_id": judgement.id, "done": progress.done, "total": progress.total}
