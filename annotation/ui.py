"""The Annotate tab: five cards, best and worst in two keystrokes, the next prompt at once."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import gradio as gr

from annotation.errors import TaskNotReadyError
from annotation.pairs import Strategy, write_jsonl
from annotation.records import Task
from annotation.service import AnnotationService
from recsys.access import Access, Role
from recsys.demos import ASSETS, DOMAINS
from recsys.errors import InputError, NotReadyError, ZeroshelfError
from recsys.i18n import error_text, text, texts
from recsys.ui.page import Texts

_WAIT_S = 3.0
"""How long one request of the page waits for candidates before it says so; the page asks again."""


class AnnotateTab:
    """The tab's handlers; the board itself is drawn by `assets/web/annotate.js`."""

    def __init__(self, service: AnnotationService, access: Access, page: Texts) -> None:
        self._service = service
        self._access = access
        self._page = page
        self._serial = itertools.count()

    def build(self) -> None:
        """Lay out the tab within the Blocks that are being built."""
        t = self._page
        known = gr.BrowserState("", storage_key="zeroshelf-annotator")
        with gr.Row(elem_id="annotate-bar"):
            annotator = gr.Textbox(
                label=t("annotate_name"),
                elem_id="annotator",
                max_length=64,
                visible=not self._access.sign_in,
                scale=1,
            )
            language = gr.Radio(
                [(t("annotate_any"), ""), ("English", "en"), ("한국어", "ko")],
                value="",
                label=t("annotate_language"),
                elem_id="annotate-language",
                scale=1,
            )
        board = gr.HTML(
            value=None,
            html_template='<div class="zb-root"></div>',
            js_on_load=(ASSETS / "web" / "annotate.js").read_text(encoding="utf-8"),
            elem_id="board",
        )
        with gr.Accordion(t("annotate_export"), open=False):
            strategy = gr.Radio(
                [(t("annotate_best_worst"), "best-worst"), (t("annotate_all"), "all")],
                value="best-worst",
                label=t("annotate_strategy"),
            )
            export = gr.Button(t("annotate_export_go"), elem_id="export")
            exported = gr.File(label="pairs.jsonl", interactive=False, elem_id="exported")

        who = [annotator, language]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        board.load(self._next, who, board, concurrency_limit=32, **quiet)
        board.submit(self._judge, who, board, concurrency_limit=32, **quiet)
        board.undo(self._undo, who, board, concurrency_limit=32, **quiet)
        board.clear(self._skip, who, board, concurrency_limit=32, **quiet)
        language.input(self._next, who, board, **quiet)
        annotator.submit(self._next, who, board, **quiet)
        annotator.blur(self._next, who, board, **quiet)
        annotator.change(lambda name: name, annotator, known, **quiet)
        export.click(t.shown(self._export), strategy, exported, **quiet)
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(self._who, known, annotator, **quiet).then(self._next, who, board, **quiet)

    def take_prompts(
        self, give: gr.Button, job: gr.Dropdown, prompts_of: Callable[[str], Path | None]
    ) -> None:
        """Let the button `give` add the prompts in the file that `prompts_of` names for the chosen job."""

        def take(job: str | None, request: gr.Request) -> None:
            self._access.require(request.username, Role.RESEARCHER)
            file = prompts_of(job) if job else None
            if file is None:
                raise InputError(reason=self._page.say(request, "data_nothing_to_give"))
            gr.Info(self._page.say(request, "data_given", count=self._service.import_prompts(file)))

        give.click(self._page.shown(take), job, None, api_visibility="private", show_progress="hidden")

    def _who(self, known: str) -> str:
        return known or "guest"

    def _next(self, annotator: str | None, language: str, request: gr.Request) -> Any:
        if annotator is None:  # the page has not told yet who is there
            return gr.skip()
        return self._board(annotator, language, request)

    def _judge(
        self, annotator: str, language: str, request: gr.Request, event: gr.EventData
    ) -> dict[str, Any]:
        try:
            self._access.require(request.username, Role.ANNOTATOR)
            choice = [str(event._data.get(key) or "") for key in ("task_id", "best", "worst")]
            name = self._access.person(request.username, annotator)
            self._service.judge(choice[0], name, choice[1], choice[2])
        except ZeroshelfError as error:
            return self._board(annotator, language, request, error)
        return self._board(annotator, language, request)

    def _undo(self, annotator: str, language: str, request: gr.Request) -> dict[str, Any]:
        try:
            self._access.require(request.username, Role.ANNOTATOR)
            task = self._service.undo(self._access.person(request.username, annotator))
        except ZeroshelfError as error:
            return self._board(annotator, language, request, error)
        notice = "" if task else self._page.say(request, "annotate_nothing_to_undo")
        return self._board(annotator, language, request, task=task, notice=notice)

    def _skip(
        self, annotator: str, language: str, request: gr.Request, event: gr.EventData
    ) -> dict[str, Any]:
        try:
            self._access.require(request.username, Role.ANNOTATOR)
            name = self._access.person(request.username, annotator)
            self._service.skip(str(event._data.get("task_id") or ""), name)
        except ZeroshelfError as error:
            return self._board(annotator, language, request, error)
        return self._board(annotator, language, request)

    def _board(
        self,
        annotator: str,
        language: str,
        request: gr.Request,
        error: ZeroshelfError | None = None,
        *,
        task: Task | None = None,
        notice: str = "",
    ) -> dict[str, Any]:
        """Everything that the board shows: the task, the progress, and a message where there is one."""
        words = self._page.language(request)
        board: dict[str, Any] = {
            "serial": next(self._serial),  # the page draws again only what differs
            "task_id": None,
            "waiting": False,
            "words": {k: v for k, v in texts(words).items() if k.startswith("annotate_")},
            "notice": error_text(error, words) if error else notice,
        }
        try:
            self._access.require(request.username, Role.ANNOTATOR)
            name = self._access.person(request.username, annotator)
            progress = self._service.progress(name, language or None)
            board["progress"] = {"done": progress.done, "total": progress.total}
            if task is None:
                task = self._service.next_task(name, language or None, wait_s=_WAIT_S)
        except (TaskNotReadyError, NotReadyError):
            board["waiting"] = True
            return board
        except ZeroshelfError as problem:
            board["notice"] = error_text(problem, words)
            return board
        return {**board, **_task_values(task, words)} if task else board

    def _export(self, strategy: str, request: gr.Request) -> str:
        self._access.require(request.username, Role.RESEARCHER)
        pairs = self._service.pairs(cast(Strategy, strategy))
        folder = Path(tempfile.mkdtemp(prefix="zeroshelf-export-"))
        write_jsonl(pairs, folder / "pairs.jsonl")
        return str(folder / "pairs.jsonl")


def _task_values(task: Task, words: str) -> dict[str, Any]:
    prompt = task.prompt
    domains = [d for d in (prompt.source_domain, prompt.target_domain) if d in DOMAINS]
    route = " → ".join(text(words, f"domain_{d}") for d in dict.fromkeys(domains))
    kind = text(words, f"annotate_{prompt.situation}"), text(words, f"annotate_{prompt.form}")
    return {
        "task_id": task.id,
        "language": prompt.language,
        "system": prompt.system,
        "heading": prompt.heading,
        "history": list(prompt.history),
        "ask": prompt.ask,
        "tags": [route, *kind],
        "candidates": [{"id": c.id, "text": c.text} for c in task.candidates],
        "best": task.best,
        "worst": task.worst,
    }
