"""The right half of the data tab: how far a job is, and what it has written."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import gradio as gr

from recsys.access import Access, Role
from recsys.demos import ASSETS
from recsys.i18n import text, texts
from recsys.prompts.formats import PromptFormat
from recsys.synthesis.job import Progress
from recsys.synthesis.jobs import JobStore
from recsys.synthesis.quality import REASONS
from recsys.synthesis.rows import Row
from recsys.synthesis.view import Seen, around, as_read, examples, job_scores
from recsys.ui import cards
from recsys.ui.data import html
from recsys.ui.page import Texts

_POLL_S = 1.5
_STEP, _BINS = 0.25, 96
_ROWS = 8

Changes = dict[Any, Any]


class JobResults:
    """Draws one job; `format_of` gives the prompt format of a model by name."""

    def __init__(
        self, jobs: JobStore, access: Access, page: Texts, format_of: Callable[[str], PromptFormat]
    ) -> None:
        self._jobs = jobs
        self._access = access
        self._page = page
        self._format_of = format_of
        self._serial = itertools.count()

    def build(self) -> gr.Dropdown:
        """Lay out the results within the column that is being built; returns the choice of job."""
        t = self._page
        self._job = job = gr.Dropdown([], value=None, label=t("data_job"), elem_id="job")
        self._status = gr.HTML(elem_id="job-status")
        with gr.Row():
            self._stop = gr.Button(t("data_stop"), visible=False, elem_id="stop-job", size="sm")
            self._resume = gr.Button(t("data_resume"), visible=False, elem_id="resume-job", size="sm")
        with gr.Column(visible=False) as self._results, gr.Tabs(elem_id="job-tabs"):
            with gr.Tab(t("data_tab_examples"), id="examples"):
                with gr.Row():
                    self._dataset = gr.Dropdown([], label=t("data_col_source"), elem_id="rows-of")
                    self._outcome = gr.Dropdown([], label=t("data_outcome"), elem_id="rows-outcome")
                self._rows = gr.HTML(elem_id="rows")
            with gr.Tab(t("data_tab_scores"), id="scores"):
                self._scores = gr.HTML(
                    value=None,
                    html_template='<div class="zh-root"></div>',
                    js_on_load=(ASSETS / "web" / "scores.js").read_text(encoding="utf-8"),
                    elem_id="scores",
                )
                self._sides = gr.HTML(elem_id="sides")
            with gr.Tab(t("data_tab_mixture"), id="mixture"):
                self._mixture = gr.HTML(elem_id="obtained")
            with gr.Tab(t("data_tab_files"), id="files"):
                self._files = gr.File(
                    file_count="multiple", label=t("data_download"), interactive=False, elem_id="job-files"
                )
                self.give = gr.Button(t("data_give"), elem_id="give-prompts", size="sm")
        self._seen = gr.State(("", ""))
        self._connect(job)
        return job

    def choices(self, chosen: str | None = None) -> Any:
        """The jobs there are, newest first, with `chosen` or the newest selected."""
        names = self._jobs.names()
        value = chosen if chosen in names else (names[0] if names else None)
        return gr.update(choices=names, value=value)

    def _connect(self, job: gr.Dropdown) -> None:
        t = self._page
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        filters = [self._dataset, self._outcome]
        shown = [
            self._status, self._stop, self._resume, self._results, *filters, self._rows, self._scores,
            self._sides, self._mixture, self._files, self._seen,
        ]  # fmt: skip
        timer = gr.Timer(_POLL_S)
        timer.tick(self._tick, [job, *filters, self._seen], shown, queue=False, **quiet)
        job.change(t.shown(self._draw), [job, *filters], shown, **quiet)
        gr.on([f.input for f in filters], t.shown(self._rows_html), [job, *filters], self._rows, **quiet)
        self._scores.change(t.shown(self._moved), job, self._sides, **quiet)
        self._stop.click(t.shown(self._stop_job), job, self._status, **quiet)
        self._resume.click(t.shown(self._resume_job), job, self._status, **quiet)
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(self.choices, None, job, **quiet)

    def _tick(
        self, job: str | None, dataset: str, outcome: str, seen: tuple[str, str], request: gr.Request
    ) -> Any:
        """Draw again what has changed since `seen`: everything with each stage and tenth of the rows."""
        if not job:
            return gr.skip()
        progress = self._jobs.progress(job)
        now = self._fingerprint(job, progress, request)
        if now == seen:
            return gr.skip()
        if now[0] == seen[0]:
            return {self._status: self._progress_html(job, progress, request), self._seen: now}
        return self._draw(job, dataset, outcome, request)

    def _draw(self, job: str | None, dataset: str, outcome: str, request: gr.Request) -> Changes:
        language = self._page.language(request)
        if not job:
            empty = cards.empty_html(text(language, "data_empty"))
            return {self._status: empty, self._results: gr.update(visible=False)}
        progress = self._jobs.progress(job)
        scores = self._score_values(job, language)
        drawn: Changes = {
            self._status: self._progress_html(job, progress, request),
            self._stop: gr.update(visible=progress.state == "running"),
            self._resume: gr.update(visible=progress.state in ("stopped", "failed")),
            self._results: gr.update(visible=bool(scores["groups"])),
            self._seen: self._fingerprint(job, progress, request),
        }
        return drawn | (self._filled(job, dataset, outcome, scores, request) if scores["groups"] else {})

    def _filled(
        self, job: str, dataset: str, outcome: str, scores: dict[str, Any], request: gr.Request
    ) -> Changes:
        """The tabs of a job that has rows."""
        language = self._page.language(request)
        report = self._jobs.report(job)
        config = self._jobs.config(job)
        names = [(html.domain_name(s.name, language), s.name) for s in config.sources]
        dataset = dataset if dataset in {name for _, name in names} else ""
        outcomes = [(html.reason_name(reason, language), reason) for reason in ("", *REASONS)]
        mixture = cards.empty_html(text(language, "data_not_yet"))
        return {
            self._dataset: gr.update(choices=[(text(language, "data_any"), ""), *names], value=dataset),
            self._outcome: gr.update(choices=outcomes, value=outcome or ""),
            self._rows: self._rows_html(job, dataset, outcome, request),
            self._scores: scores,
            self._sides: self._sides_html(job, scores["threshold"], language),
            self._mixture: html.mixture_html(report, language) if report else mixture,
            self._files: [str(file) for file in self._jobs.files(job)] if report else None,
        }

    def _fingerprint(self, job: str, progress: Progress, request: gr.Request) -> tuple[str, str]:
        """What asks for drawing everything, and what for the progress alone."""
        tenth = 10 * progress.rows_done // max(progress.rows_total, 1)
        language = self._page.language(request)
        return f"{job} {progress.state} {progress.stage} {tenth} {language}", str(progress.updated)

    def _progress_html(self, job: str, progress: Progress, request: gr.Request) -> str:
        return html.progress_html(job, progress, self._page.language(request))

    def _score_values(self, job: str, language: str) -> dict[str, Any]:
        """What the page draws as histograms."""
        groups = []
        for name, found in job_scores(self._jobs.folder(job)).items():
            others = [f"{html.reason_name(r, language)} {n:,}" for r, n in sorted(found.other.items())]
            other = text(language, "data_other_reasons", reasons=", ".join(others)) if others else ""
            counts = found.histogram(_STEP, _BINS)
            groups.append({"label": html.domain_name(name, language), "counts": counts, "other": other})
        return {
            "serial": next(self._serial),
            "job": job,
            "words": {k: v for k, v in texts(language).items() if k.startswith("data_")},
            "step": _STEP,
            "bins": _BINS,
            "threshold": self._jobs.config(job).quality.max_score,
            "groups": groups,
        }

    def _rows_html(self, job: str | None, dataset: str, outcome: str, request: gr.Request) -> str:
        language = self._page.language(request)
        found = examples(self._jobs.folder(job), dataset or "", outcome or "", _ROWS) if job else []
        if not job or not found:
            return cards.empty_html(text(language, "data_no_rows"))
        return html.rows_html(found, self._reader(job), language)

    def _moved(self, job: str | None, request: gr.Request, event: gr.EventData) -> Any:
        """The threshold was moved on the page."""
        threshold = event._data.get("threshold") if isinstance(event._data, dict) else None
        if not job or not isinstance(threshold, int | float):
            return gr.skip()
        return self._sides_html(job, float(threshold), self._page.language(request))

    def _sides_html(self, job: str, threshold: float, language: str) -> str:
        """The rows nearest to the threshold, on both sides of it."""
        below, above = around(self._jobs.folder(job), threshold)
        read = self._reader(job)
        parts = []
        for key, rows, reason in (("data_just_kept", below, ""), ("data_just_dropped", above, "score")):
            shown = html.rows_html([Seen(row, reason) for row in rows], read, language)
            none = cards.empty_html(text(language, "data_none_there"))
            title = cards.heading_html(text(language, key, threshold=f"{threshold:.2f}"))
            parts.append(f"<section>{title}{shown if rows else none}</section>")
        return f'<div class="zs-sides">{"".join(parts)}</div>'

    def _reader(self, job: str) -> Callable[[Row], str]:
        form = self._format_of(self._jobs.config(job).tokenizer)
        return lambda row: as_read(row, form)

    def _stop_job(self, job: str | None, request: gr.Request) -> Any:
        self._access.require(request.username, Role.RESEARCHER)
        if not job:
            return gr.skip()
        self._jobs.stop(job, wait_s=3.0)
        return self._progress_html(job, self._jobs.progress(job), request)

    def _resume_job(self, job: str | None, request: gr.Request) -> Any:
        self._access.require(request.username, Role.RESEARCHER)
        if not job:
            return gr.skip()
        self._jobs.resume(job)
        return self._progress_html(job, self._jobs.progress(job), request)
