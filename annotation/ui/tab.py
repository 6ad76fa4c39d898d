"""The Annotate tab: five cards, best and worst in two keystrokes, the next prompt at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from annotation.service import AnnotationService
from annotation.ui.board import Board
from annotation.ui.lead import LeadView
from recsys.access import Access, Role
from recsys.demos import ASSETS
from recsys.errors import InputError
from recsys.ui.page import Texts

_SCRIPTS = ("dom", "text", "keys", "cards", "dialogs")
_AT_ONCE = 32


class AnnotateTab:
    """The tab's layout; the board itself is drawn by `assets/web/annotate*.js`."""

    def __init__(self, service: AnnotationService, access: Access, page: Texts) -> None:
        self._service = service
        self._access = access
        self._page = page

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
            js_on_load=board_script(),
            keys=json.loads((ASSETS / "web" / "annotate_keys.json").read_text(encoding="utf-8")),
            apply_default_css=False,
            elem_id="board",
        )
        self._wire(board, annotator, language, known)
        LeadView(self._service, self._access, t).build()

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

    def _wire(
        self, board: gr.HTML, annotator: gr.Textbox, language: gr.Radio, known: gr.BrowserState
    ) -> None:
        handlers = Board(self._service, self._access, self._page)
        who = [annotator, language]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        many: dict[str, Any] = {**quiet, "concurrency_limit": _AT_ONCE}
        board.next(handlers.next, who, board, **many)
        board.submit(handlers.submit, who, board, **many)
        board.undo(handlers.undo, who, board, **many)
        board.skip(handlers.skip, who, board, **many)
        # Named apart from the component's own method `flag`.
        board.flagged(handlers.flag, who, board, **many)
        board.revise(handlers.revise, who, board, **many)
        board.mine(handlers.mine, who, board, **many)
        board.guidelines(handlers.guidelines, who, board, **many)
        board.draft(handlers.draft, annotator, None, trigger_mode="always_last", **many)
        board.touch(handlers.touch, annotator, None, **many)
        language.input(handlers.first, who, board, **many)
        annotator.submit(handlers.first, who, board, **many)
        annotator.blur(handlers.first, who, board, **many)
        annotator.change(lambda name: name, annotator, known, **quiet)
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(_who, known, annotator, **quiet).then(handlers.first, who, board, **many)


def board_script() -> str:
    """The board's script: its parts in the order in which they need each other."""
    names = [f"annotate_{part}.js" for part in _SCRIPTS] + ["annotate.js"]
    return "\n".join((ASSETS / "web" / name).read_text(encoding="utf-8") for name in names)


def _who(known: str) -> str:
    return known or "guest"
