"""The HTTP and MCP endpoints of this package: the functions that the tab calls, typed."""

from __future__ import annotations

import gradio as gr

from annotation.contract import JudgementPayload, TaskPayload, judgement_payload, task_payload
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

    gr.api(next_task, api_name="next_task", concurrency_limit=16)
    gr.api(judge, api_name="judge", concurrency_limit=16)
    gr.api(pairs, api_name="pairs", concurrency_limit=2)
