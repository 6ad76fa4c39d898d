"""Two models side by side: the fixed prompts before and after training, and blind comparison."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from recsys.access import Access, Role
from recsys.errors import InputError
from recsys.i18n import text
from recsys.llm.base import Sampling
from recsys.llm.pool import ModelPool
from recsys.ui import cards
from recsys.ui.page import Texts
from training.comparison.answers import answer, answer_pairs
from training.comparison.blind import BlindStore, Bout, Vote, new_bout
from training.comparison.fixed_prompts import fixed_prompts
from training.ui.html import answers_html, bout_html, rates_html


class ModelsSideBySide:
    """Two tabs; `models_of` gives "before" and "after" of a run, or raises where it has no adapter."""

    def __init__(
        self,
        pool: ModelPool,
        votes: BlindStore,
        access: Access,
        page: Texts,
        models_of: Callable[[str | None, gr.Request], tuple[str, str]],
    ) -> None:
        self._pool = pool
        self._votes = votes
        self._access = access
        self._page = page
        self._models_of = models_of

    def build_tabs(self, run: gr.Dropdown) -> None:
        """Lay out both tabs within the Tabs that are being built."""
        t = self._page
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        with gr.Tab(t("train_tab_answers"), id="answers"):
            go = gr.Button(t("answers_go"), elem_id="answer-fixed", size="sm")
            answers = gr.HTML(elem_id="answers")
        with gr.Tab(t("train_tab_blind"), id="blind") as tab:
            models = gr.Dropdown(
                self._names(),
                value=[],
                multiselect=True,
                max_choices=2,
                label=t("blind_models"),
                elem_id="blind-models",
            )
            step = gr.Button(t("blind_next"), elem_id="blind-next", size="sm")
            bout = gr.HTML(elem_id="bout")
            with gr.Row():
                buttons = [
                    gr.Button(t(f"blind_{vote}"), elem_id=f"blind-{vote}", interactive=False, size="sm")
                    for vote in ("left", "tie", "right")
                ]
            rates = gr.HTML(elem_id="rates")
            export = gr.DownloadButton(t("blind_export"), elem_id="blind-export", size="sm")
            open_bout = gr.State(None)  # within the tab: Tabs takes everything in it for a tab
        go.click(t.shown_stream(self._answers), run, answers, concurrency_limit=1, **quiet)
        tab.select(lambda chosen: gr.update(choices=self._names(), value=chosen), models, models, **quiet)
        step.click(
            t.shown(self._next), models, [bout, open_bout, *buttons, rates], concurrency_limit=2, **quiet
        )
        for vote, button in zip(("left", "tie", "right"), buttons, strict=True):
            button.click(t.shown(self._voting(vote)), open_bout, [bout, open_bout, *buttons, rates], **quiet)  # type: ignore[arg-type]  # the votes above
        export.click(t.shown(self._export), None, export, **quiet)

    def _answers(self, run: str | None, request: gr.Request) -> Iterator[str]:
        self._access.require(request.username, Role.RESEARCHER)
        language = self._page.language(request)
        before, after = self._models_of(run, request)
        found = []
        yield cards.notice_html(text(language, "status_model", name=after), kind="busy")
        for pair in answer_pairs(self._pool, before, after):
            found.append(pair)
            yield answers_html(found, before, after, language)

    def _next(self, models: list[str], request: gr.Request) -> tuple[Any, ...]:
        self._access.require(request.username, Role.RESEARCHER)
        if len(models or []) != 2:
            raise InputError(reason=self._page.say(request, "blind_empty"))
        languages = set(self._pool.resolve(models[0])[0].languages)
        prompts = [p for p in fixed_prompts() if p.prompt.language in languages]
        fixed = random.choice(prompts)
        seed = random.getrandbits(31)

        def respond(model: str, prompt: Any) -> str:
            return answer(self._pool, model, prompt, sampling=Sampling(seed=seed))

        bout = new_bout(
            fixed.prompt, (models[0], models[1]), respond, situation=fixed.situation, form="direct"
        )
        return self._shown(bout, request, revealed=False)

    def _voting(self, vote: Vote) -> Callable[..., tuple[Any, ...]]:
        def handler(bout: Bout | None, request: gr.Request) -> tuple[Any, ...]:
            self._access.require(request.username, Role.RESEARCHER)
            if bout is None:
                raise InputError(reason=self._page.say(request, "blind_no_bout"))
            self._votes.vote(bout, vote, request.username or "guest")
            return self._shown(bout, request, revealed=True)

        return handler

    def _shown(self, bout: Bout, request: gr.Request, *, revealed: bool) -> tuple[Any, ...]:
        language = self._page.language(request)
        votes = [gr.update(interactive=not revealed)] * 3
        left, right = sorted((bout.left_model, bout.right_model))
        rates = [self._votes.win_rate(left, right, same_length=same) for same in (False, True)]
        shown = bout_html(bout, language, revealed=revealed)
        return (shown, None if revealed else bout, *votes, rates_html(rates[0], rates[1], language))

    def _export(self, request: gr.Request) -> str:
        self._access.require(request.username, Role.RESEARCHER)
        file = Path(tempfile.mkdtemp(prefix="zeroshelf-votes-")) / "votes.jsonl"
        self._votes.write_pairs(file)
        return str(file)

    def _names(self) -> list[str]:
        return [model.name for model in self._pool.list()]
