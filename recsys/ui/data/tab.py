"""The data tab: a form on the left, what a job has written on the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from recsys.access import Access, Role
from recsys.domains.sources import SourceFolder
from recsys.llm.pool import ModelPool
from recsys.retrieval.catalogs import Catalogs
from recsys.synthesis.jobs import JobStore
from recsys.synthesis.request import requested_config
from recsys.synthesis.view import model_format, preview_config
from recsys.ui.data.catalogs import CatalogsPanel
from recsys.ui.data.form import SourceForm
from recsys.ui.data.results import JobResults
from recsys.ui.page import Texts


@dataclass(frozen=True)
class Data:
    """The components that other tabs reach: the button that hands a job's held-out prompts on."""

    job: gr.Dropdown
    give: gr.Button


@dataclass(frozen=True)
class DataTab:
    """The tab's handlers; all they do is call the job store and draw what it says."""

    jobs: JobStore
    sources: SourceFolder
    catalogs: Catalogs
    pool: ModelPool
    access: Access
    page: Texts

    def build(self, models: Sequence[str]) -> Data:
        """Lay out the tab within the Blocks that are being built."""
        t = self.page
        CatalogsPanel(self.catalogs, self.sources, self.access, t).build()
        form = SourceForm(self.sources, self.access, t, models)
        models_dir = self.pool.settings.paths.models
        results = JobResults(self.jobs, self.access, t, lambda name: model_format(name, models_dir))
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=320):
                form.build()
                with gr.Row():
                    preview = gr.Button(t("data_preview"), elem_id="preview-job")
                    run = gr.Button(t("data_run"), variant="primary", elem_id="run-job")
            with gr.Column(scale=3, min_width=320):
                job = results.build()

        last_preview = gr.State("")
        inputs = [last_preview, *form.inputs]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

        def start(small: bool, request: gr.Request, previewed: str, *values: Any) -> tuple[Any, str]:
            self.access.require(request.username, Role.RESEARCHER)
            config = requested_config(form.request(*values), self.sources, self.pool.check_reference)
            # A preview and the run after it are one job: the run goes on from the preview's rows.
            name = self.jobs.start(preview_config(config) if small else config, previewed)
            return results.choices(name), name if small else ""

        def start_preview(request: gr.Request, *values: Any) -> tuple[Any, str]:
            return start(True, request, *values)

        def start_run(request: gr.Request, *values: Any) -> tuple[Any, str]:
            return start(False, request, *values)

        preview.click(t.shown(start_preview), inputs, [job, last_preview], concurrency_limit=1, **quiet)
        run.click(t.shown(start_run), inputs, [job, last_preview], concurrency_limit=1, **quiet)
        return Data(job, results.give)
