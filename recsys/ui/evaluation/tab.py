"""The evaluation tab: a form on the left, the chosen evaluation on the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from recsys.access import Access, Role
from recsys.domains.sources import SourceFolder
from recsys.evaluation.jobs import EvaluationStore
from recsys.evaluation.request import requested_evaluation
from recsys.llm.pool import ModelPool
from recsys.ui.evaluation.form import EvaluationForm
from recsys.ui.evaluation.results import EvaluationResults
from recsys.ui.page import Texts


@dataclass(frozen=True)
class EvaluationTab:
    """The tab's handlers; all they do is call the store of evaluations and draw what it says."""

    evaluations: EvaluationStore
    sources: SourceFolder
    pool: ModelPool
    access: Access
    page: Texts

    def build(self, tab: gr.Tab) -> None:
        """Lay out the contents of `tab` within the Blocks that are being built."""
        t = self.page
        form = EvaluationForm(self.sources, self.pool, t)
        results = EvaluationResults(self.evaluations, self.access, t)
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=320):
                form.build(tab)
                run = gr.Button(t("eval_run"), variant="primary", elem_id="run-evaluation")
            with gr.Column(scale=3, min_width=320):
                name = results.build()

        def start(request: gr.Request, *values: Any) -> Any:
            self.access.require(request.username, Role.RESEARCHER)
            form.check(self.page.language(request), *values)
            wanted = requested_evaluation(form.request(*values), self.sources, self.pool.check_reference)
            return results.choices(self.evaluations.start(wanted))

        run.click(
            t.shown(start), form.inputs, name, concurrency_limit=1, api_visibility="private",
            show_progress="hidden",
        )  # fmt: skip
