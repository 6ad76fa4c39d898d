"""The JSON shapes of the HTTP contract: add to them, don't break them."""

from __future__ import annotations

from typing import TypedDict

from annotation.quality.report import QualityReport, measure_text
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
    """Answer of `/judge`, `/skip` and `/flag`: the row that counts, and progress in prompts."""

    judgement_id: str
    done: int
    total: int


class MeasurePartPayload(TypedDict):
    """One annotator's, pair's, position's or model's part of a measure."""

    name: str
    value: float | None
    n: int


class MeasurePayload(TypedDict):
    """One measure; `value` is None where there is too little to say, and `text` says so."""

    key: str
    value: float | None
    n: int
    name: str
    text: str
    means: str
    parts: list[MeasurePartPayload]


class QualityPayload(TypedDict):
    """Answer of `/quality_report`."""

    judgements: int
    prompts: int
    annotators: int
    measures: list[MeasurePayload]


def quality_payload(report: QualityReport, language: str) -> QualityPayload:
    """`/quality_report`, with its texts in one language."""
    measures: list[MeasurePayload] = []
    for measure in report.measures:
        said = measure_text(measure, language)
        measures.append(
            {
                "key": measure.key,
                "value": measure.value,
                "n": measure.n,
                "name": said.name,
                "text": said.value,
                "means": said.means,
                "parts": [{"name": p.name, "value": p.value, "n": p.n} for p in measure.parts],
            }
        )
    return {
        "judgements": report.judgements,
        "prompts": report.prompts,
        "annotators": report.annotators,
        "measures": measures,
    }


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
