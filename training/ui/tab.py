"""The Train tab: a form on the left; the runs, their curves and their answers on the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from recsys.access import Access
from recsys.errors import ConflictError
from recsys.llm.pool import ModelPool, split_reference
from recsys.synthesis.jobs import JobStore
from recsys.ui.page import Texts
from training.comparison.blind import BlindStore
from training.runs.store import RunStore
from training.ui.board import RunBoard
from training.ui.form import Pairs, TrainForm
from training.ui.models import ModelsSideBySide


@dataclass(frozen=True)
class Train:
    """The components that the playground's side of "use" needs."""

    use: gr.Button
    run: gr.Dropdown
    adapter_of: Callable[..., str]

    def adapter_chosen(self, model: gr.Dropdown, tabs: gr.Tabs, tab_id: str) -> None:
        """Let the button put the chosen run's adapter into `model` and open the tab `tab_id`."""

        def add_choice(run_id: str | None, request: gr.Request) -> Any:
            name = self.adapter_of(run_id, request)
            base, _ = split_reference(name)
            return gr.update(choices=[base, name], value=name)

        self.use.click(add_choice, self.run, model, api_visibility="private", show_progress="hidden").success(
            lambda: gr.Tabs(selected=tab_id), None, tabs, api_visibility="private"
        )


@dataclass(frozen=True)
class TrainTab:
    """Puts the parts of the tab together."""

    runs: RunStore
    pairs: Pairs
    jobs: JobStore
    pool: ModelPool
    votes: BlindStore
    access: Access
    page: Texts
    models: Sequence[str]

    def build(self) -> Train:
        """Lay out the tab within the Blocks that are being built."""
        form = TrainForm(self.runs, self.pairs, self.votes, self.jobs, self.access, self.page, self.models)
        board = RunBoard(self.runs, self.access, self.page)
        beside = ModelsSideBySide(self.pool, self.votes, self.access, self.page, self._before_and_after)
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=320):
                form.build()
            with gr.Column(scale=3, min_width=320):
                run = board.build()
                with gr.Tabs(elem_id="train-tabs"):
                    board.build_tabs()
                    beside.build_tabs(run)
        form.on_start(board.choices, run)
        return Train(board.use, run, self.page.shown(self._adapter))

    def _before_and_after(self, run_id: str | None, request: gr.Request) -> tuple[str, str]:
        """What a run started from, and what came of it, as models that can be asked."""
        after = self._adapter(run_id, request)
        assert run_id is not None  # `_adapter` would have raised
        config = self.runs.config(run_id)
        before = f"{config.model}+{config.parent}" if config.parent else config.model
        return before, after

    def _adapter(self, run_id: str | None, request: gr.Request) -> str:
        """The model reference "base+adapter" that a run has produced."""
        status = self.runs.get(run_id) if run_id else None
        if status is None or status.adapter is None:
            raise ConflictError(reason=self.page.say(request, "train_no_adapter"))
        return f"{self.runs.config(status.run_id).model}+{status.adapter}"
