"""The board's handlers: each calls the service and answers with what the board shows next."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import gradio as gr

from annotation.errors import TaskNotReadyError
from annotation.records import Task
from annotation.service import AnnotationService
from annotation.ui.messages import (
    BoardMessage,
    GuidelinesMessage,
    MineMessage,
    mine_message,
    origins_phrase,
    progress_message,
    task_message,
)
from recsys.access import Access, Role
from recsys.errors import NotReadyError, ZeroshelfError
from recsys.i18n import error_text, texts
from recsys.ui.page import Texts

_WAIT_S = 3.0
"""How long one request of the page waits for candidates before it says so; the page asks again."""


@dataclass(frozen=True)
class Sent:
    """What the page sent with an event. Anybody can send anything: only texts and small numbers pass."""

    data: Mapping[str, Any] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """A text, empty when there is none; half characters, which no file takes, become "?"."""
        value = self.data.get(key)
        return value.encode(errors="replace").decode() if isinstance(value, str) else ""

    def number(self, key: str) -> int:
        """A whole number from 0 to a billion; 0 also stands for anything else."""
        value = self.data.get(key)
        return min(max(value, 0), 10**9) if isinstance(value, int) else 0

    @property
    def since(self) -> datetime | None:
        """When the visitor's day began."""
        try:
            began = datetime.fromisoformat(self.text("since"))
        except ValueError:
            return None
        return began if began.tzinfo else None


@dataclass(frozen=True)
class _Answer:
    """What an action leads to: a task to show instead of the next one, and something to say."""

    task: Task | None = None
    said: str = ""
    revising: bool = False


class Board:
    """The handlers. Every one is given the name and prompt language that the page shows."""

    def __init__(self, service: AnnotationService, access: Access, page: Texts) -> None:
        self._service = service
        self._access = access
        self._page = page

    def first(self, annotator: str | None, language: str, request: gr.Request) -> Any:
        """The board when the page opens, or its name or language was changed."""
        if annotator is None:  # the page has not told yet who is there
            return gr.skip()
        return self._answer(annotator, language, request, Sent(), lambda name: _Answer())

    def next(self, annotator: str, language: str, request: gr.Request, event: gr.EventData) -> BoardMessage:
        """The next task, after waiting for candidates or leaving a revision."""
        return self._answer(annotator, language, request, _sent(event), lambda name: _Answer())

    def submit(self, annotator: str, language: str, request: gr.Request, event: gr.EventData) -> BoardMessage:
        """A judgement, or the revision of one."""
        sent, words = _sent(event), self._page.language(request)
        task, best, worst = (sent.text(key) for key in ("task_id", "best", "worst"))

        def act(name: str) -> _Answer:
            self._service.judge(task, name, best, worst)
            if not sent.data.get("reveal"):
                return _Answer()
            return _Answer(said=origins_phrase(self._service.origins(task, name), best, worst, words))

        return self._answer(annotator, language, request, sent, act)

    def skip(self, annotator: str, language: str, request: gr.Request, event: gr.EventData) -> BoardMessage:
        """A prompt put aside, with or without a reason."""
        sent, said = _sent(event), self._page.say(request, "annotate_skipped")

        def act(name: str) -> _Answer:
            self._service.skip(sent.text("task_id"), name, sent.text("reason"))
            return _Answer(said=said)

        return self._answer(annotator, language, request, sent, act)

    def flag(self, annotator: str, language: str, request: gr.Request, event: gr.EventData) -> BoardMessage:
        """A prompt with something wrong, and what it is."""
        sent, said = _sent(event), self._page.say(request, "annotate_flagged")

        def act(name: str) -> _Answer:
            self._service.flag(sent.text("task_id"), name, sent.text("reason"))
            return _Answer(said=said)

        return self._answer(annotator, language, request, sent, act)

    def undo(self, annotator: str, language: str, request: gr.Request, event: gr.EventData) -> BoardMessage:
        """The latest judgement, skip or flag taken back."""
        said = [self._page.say(request, f"annotate_{key}") for key in ("undone", "nothing_to_undo")]

        def act(name: str) -> _Answer:
            task = self._service.undo(name)
            return _Answer(task, said[task is None])

        return self._answer(annotator, language, request, _sent(event), act)

    def revise(self, annotator: str, language: str, request: gr.Request, event: gr.EventData) -> BoardMessage:
        """One of the annotator's own judgements, to be revised."""
        sent = _sent(event)

        def act(name: str) -> _Answer:
            return _Answer(self._service.task(sent.text("task_id"), name), revising=True)

        return self._answer(annotator, language, request, sent, act)

    def mine(
        self, annotator: str, language: str, request: gr.Request, event: gr.EventData
    ) -> MineMessage | BoardMessage:
        """A page of the annotator's own judgements."""
        try:
            page = self._service.history(self._name(annotator, request), _sent(event).number("offset"))
        except ZeroshelfError as error:
            return self._failed(annotator, language, request, error)
        return mine_message(page, _serial())

    def guidelines(
        self, annotator: str, language: str, request: gr.Request
    ) -> GuidelinesMessage | BoardMessage:
        """What annotators go by."""
        try:
            guidelines = self._service.guidelines(self._page.language(request))
        except ZeroshelfError as error:
            return self._failed(annotator, language, request, error)
        return {"kind": "guidelines", "serial": _serial(), "text": guidelines}

    def draft(self, annotator: str, request: gr.Request, event: gr.EventData) -> None:
        """A choice that is half made. It is lost where it cannot be kept: the page still has it."""
        sent = _sent(event)
        task, best, worst = (sent.text(key) for key in ("task_id", "best", "worst"))
        try:
            self._service.save_draft(task, self._name(annotator, request), best or None, worst or None)
        except ZeroshelfError:
            return

    def touch(self, annotator: str, request: gr.Request, event: gr.EventData) -> None:
        """A sign that somebody works on the task; nothing depends on a single one."""
        try:
            self._service.touch(_sent(event).text("task_id"), self._name(annotator, request))
        except ZeroshelfError:
            return

    def _name(self, annotator: str, request: gr.Request) -> str:
        self._access.require(request.username, Role.ANNOTATOR)
        return self._access.person(request.username, annotator)

    def _failed(
        self, annotator: str, language: str, request: gr.Request, error: ZeroshelfError
    ) -> BoardMessage:
        def act(name: str) -> _Answer:
            raise error

        return self._answer(annotator, language, request, Sent(), act)

    def _answer(
        self,
        annotator: str,
        language: str,
        request: gr.Request,
        sent: Sent,
        act: Callable[[str], _Answer],
    ) -> BoardMessage:
        """What the board shows once `act` is done; where it failed, why, with the task as it was."""
        words = self._page.language(request)
        board: BoardMessage = {
            "kind": "board",
            "serial": _serial(),
            "words": {k: v for k, v in texts(words).items() if k.startswith("annotate_")},
            "task": None,
            "progress": None,
            "waiting": False,
            "revising": False,
            "said": "",
            "notice": "",
        }
        answer = _Answer()
        try:
            name = self._name(annotator, request)
            answer = act(name)
        except ZeroshelfError as error:
            board["notice"] = error_text(error, words)
        board["said"], board["revising"] = answer.said, answer.revising
        try:
            name, of = self._name(annotator, request), language or None
            pace = self._service.pace(name, of, since=sent.since)
            board["progress"] = progress_message(self._service.progress(name, of), pace, words)
            task = answer.task or self._service.next_task(name, of, wait_s=_WAIT_S)
            board["task"] = task_message(task, name, words) if task else None
        except (TaskNotReadyError, NotReadyError):
            board["waiting"] = True
        except ZeroshelfError as problem:
            board["notice"] = error_text(problem, words)
        return board


def _serial() -> int:
    """Grows with every message, over restarts too: the page drops an answer that a later one overtook."""
    return time.time_ns() // 1000


def _sent(event: gr.EventData) -> Sent:
    data = event._data
    return Sent(data if isinstance(data, Mapping) else {})
