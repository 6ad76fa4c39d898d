"""The HTTP and MCP endpoints of this package: the functions that the tab calls, typed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import gradio as gr

from annotation.contract import (
    JudgementPayload,
    QualityPayload,
    TaskPayload,
    judgement_payload,
    quality_payload,
    task_payload,
)
from annotation.pairs import PreferenceRow, Strategy
from annotation.service import AnnotationService
from recsys.access import Access, Role
from recsys.ui.page import Texts


def register(service: AnnotationService, access: Access, page: Texts) -> None:
    """Add this package's endpoints to the Blocks that are being built."""

    @page.shown
    def next_task(annotator: str, request: gr.Request) -> TaskPayload:
        """The annotator's open task, or the next: five candidate answers in this annotator's order."""
        access.require(request.username, Role.ANNOTATOR)
        return task_payload(service.next_task(access.person(request.username, annotator)))

    @page.shown
    def judge(task_id: str, annotator: str, best: str, worst: str, request: gr.Request) -> JudgementPayload:
        """Tag the best and the worst candidate (their ids) of a task that /next_task gave."""
        access.require(request.username, Role.ANNOTATOR)
        name = access.person(request.username, annotator)
        judgement = service.judge(task_id, name, best, worst)
        return judgement_payload(judgement, service.progress(name))

    @page.shown
    def pairs(strategy: Strategy, request: gr.Request) -> list[PreferenceRow]:
        """Preference rows for TRL: best over worst, or "all" seven pairs that the two tags imply."""
        access.require(request.username, Role.RESEARCHER)
        return [pair.to_row() for pair in service.pairs(strategy)]

    @page.shown
    def skip(task_id: str, annotator: str, reason: str, request: gr.Request) -> JudgementPayload:
        """Put a task aside for this annotator; the reason may be empty."""
        access.require(request.username, Role.ANNOTATOR)
        name = access.person(request.username, annotator)
        judgement = service.skip(task_id, name, reason)
        return judgement_payload(judgement, service.progress(name))

    @page.shown
    def flag(task_id: str, annotator: str, reason: str, request: gr.Request) -> JudgementPayload:
        """Say what is wrong with a task: it is given to nobody and gives no pairs."""
        access.require(request.username, Role.ANNOTATOR)
        name = access.person(request.username, annotator)
        judgement = service.flag(task_id, name, reason)
        return judgement_payload(judgement, service.progress(name))

    @page.shown
    def undo(annotator: str, request: gr.Request) -> TaskPayload:
        """Take back the annotator's latest judgement, skip or flag; its task, open again."""
        access.require(request.username, Role.ANNOTATOR)
        return task_payload(service.undo(access.person(request.username, annotator)))

    @page.shown
    def quality_report(request: gr.Request) -> QualityPayload:
        """Agreement, gold, self-agreement, biases, times and model scores, each with what it means."""
        access.require(request.username, Role.RESEARCHER)
        return quality_payload(service.quality_report(), page.language(request))

    @page.shown
    def export_judgements(request: gr.Request) -> gr.FileData:
        """Every judgement with all its provenance, as a CSV file."""
        access.require(request.username, Role.RESEARCHER)
        file = Path(tempfile.mkdtemp(prefix="zeroshelf-export-")) / "judgements.csv"
        service.export_judgements(file)
        return gr.FileData(path=str(file))

    gr.api(next_task, api_name="next_task", concurrency_limit=16)
    gr.api(judge, api_name="judge", concurrency_limit=16)
    gr.api(skip, api_name="skip", concurrency_limit=16)
    gr.api(flag, api_name="flag", concurrency_limit=16)
    gr.api(undo, api_name="undo", concurrency_limit=16)
    gr.api(quality_report, api_name="quality_report", concurrency_limit=2)
    gr.api(export_judgements, api_name="export_judgements", concurrency_limit=2)
    gr.api(pairs, api_name="pairs", concurrency_limit=2)
