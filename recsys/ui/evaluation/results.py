"""The right half of the evaluation tab: how far an evaluation is, and what came of it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from recsys.access import Access, Role
from recsys.errors import DataError
from recsys.evaluation.job import Progress
from recsys.evaluation.jobs import EvaluationStore
from recsys.evaluation.methods.registry import DEFAULT
from recsys.evaluation.report import Difference, MethodResult, Report
from recsys.evaluation.store import compare_reports
from recsys.evaluation.verdict import ALPHA
from recsys.i18n import error_text, text
from recsys.ui import cards
from recsys.ui.evaluation import html
from recsys.ui.evaluation.figures import ORANGE, SLATE, TEAL, VIOLET, Mark, forest_plot
from recsys.ui.page import Texts

_POLL_S = 1.0
_LISTED = 50

Changes = dict[Any, Any]


class EvaluationResults:
    """Draws one evaluation, and two beside each other."""

    def __init__(self, evaluations: EvaluationStore, access: Access, page: Texts) -> None:
        self._evaluations = evaluations
        self._access = access
        self._page = page

    def build(self) -> gr.Dropdown:
        """Lay out the results within the column that is being built; returns the choice of evaluation."""
        t = self._page
        self._name = gr.Dropdown([], value=None, label=t("eval_report"), elem_id="evaluation")
        self._status = gr.HTML(elem_id="eval-status")
        self._stop = gr.Button(t("data_stop"), visible=False, elem_id="stop-evaluation", size="sm")
        with gr.Column(visible=False) as self._results, gr.Tabs(elem_id="eval-tabs"):
            with gr.Tab(t("eval_tab_result"), id="result"):
                self._verdict = gr.HTML(elem_id="eval-verdict")
                self._plot = self._a_plot("eval_plot", "eval-plot")
                self._against = self._a_plot("eval_plot_against", "eval-plot-against")
                self._table = gr.HTML(elem_id="eval-table")
            with gr.Tab(t("eval_tab_lists"), id="lists"):
                self._lists = gr.HTML(elem_id="eval-lists")
            with gr.Tab(t("eval_tab_costs"), id="costs"):
                self._costs = gr.HTML(elem_id="eval-costs")
            with gr.Tab(t("eval_tab_compare"), id="compare"):
                self._other = gr.Dropdown(
                    [], value=None, label=t("eval_other"), info=t("eval_other_info"), elem_id="eval-other"
                )
                self._compared = gr.HTML(elem_id="eval-compared")
                self._pairs = self._a_plot("eval_plot_pairs", "eval-plot-pairs")
            with gr.Tab(t("eval_tab_reports"), id="reports"):
                self._reports = gr.HTML(elem_id="eval-reports")
        self._seen = gr.State(("", ""))
        self._connect()
        return self._name

    def choices(self, chosen: str | None = None) -> Any:
        """The evaluations there are, newest first, with `chosen` or the newest selected."""
        names = self._evaluations.names()
        return gr.update(choices=names, value=chosen if chosen in names else (names[0] if names else None))

    def _a_plot(self, label: str, elem_id: str) -> gr.Plot:
        return gr.Plot(
            label=self._page(label), elem_id=elem_id, elem_classes="zs-plot", visible=False, buttons=[]
        )

    def _connect(self) -> None:
        t = self._page
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        shown = [
            self._status, self._stop, self._results, self._verdict, self._plot, self._against, self._table,
            self._lists, self._costs, self._other, self._compared, self._pairs, self._reports, self._seen,
        ]  # fmt: skip
        timer = gr.Timer(_POLL_S)
        timer.tick(self._tick, [self._name, self._other, self._seen], shown, queue=False, **quiet)
        self._name.change(t.shown(self._draw), [self._name, self._other], shown, **quiet)
        self._other.change(
            t.shown(self._compare), [self._name, self._other], [self._compared, self._pairs], **quiet
        )
        self._stop.click(t.shown(self._stop_it), self._name, self._status, **quiet)
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(self.choices, None, self._name, **quiet)

    def _tick(self, name: str | None, other: str | None, seen: tuple[str, str], request: gr.Request) -> Any:
        """Draw again what has changed since `seen`: everything when the state or the language has."""
        if not name:
            return gr.skip()
        progress = self._evaluations.progress(name)
        now = self._fingerprint(name, progress, request)
        if now == tuple(seen):
            return gr.skip()
        if now[0] == seen[0]:
            status = html.progress_html(name, progress, self._page.language(request))
            return {self._status: status, self._seen: now}
        return self._draw(name, other, request)

    def _draw(self, name: str | None, other: str | None, request: gr.Request) -> Changes:
        language = self._page.language(request)
        if not name:
            empty = cards.empty_html(text(language, "eval_empty"))
            return {self._status: empty, self._results: gr.update(visible=False)}
        progress = self._evaluations.progress(name)
        drawn: Changes = {
            self._status: html.progress_html(name, progress, language),
            self._stop: gr.update(visible=progress.state == "running"),
            self._seen: self._fingerprint(name, progress, request),
        }
        try:
            saved = self._evaluations.report(name)
        except DataError as error:
            problem = cards.notice_html(error_text(error, language), kind="error")
            return drawn | {self._status: problem, self._results: gr.update(visible=False)}
        if saved is None:
            return drawn | {self._results: gr.update(visible=False)}
        report = saved.report
        return drawn | {
            self._results: gr.update(visible=True),
            self._verdict: html.verdict_html(report, language),
            self._plot: _shown(_ndcg_plot(report, language)),
            self._against: _shown(_against_plot(report, language)),
            self._table: html.results_html(report, language),
            self._lists: html.lists_html(report, language),
            self._costs: html.answers_html(report, language),
            self._other: self._others(name, other),
            self._reports: self._reports_html(language),
            **dict(zip((self._compared, self._pairs), self._compare(name, other, request), strict=True)),
        }

    def _compare(self, name: str | None, other: str | None, request: gr.Request) -> tuple[str, Any]:
        language = self._page.language(request)
        if not name or not other or name == other:
            return cards.empty_html(text(language, "eval_compare_empty")), gr.update(visible=False)
        first, second = self._evaluations.finished(name), self._evaluations.finished(other)
        found = compare_reports(first, second)
        return (
            html.comparison_html(name, other, found, language),
            _shown(_pairs_plot(found, language)),
        )

    def _others(self, name: str, other: str | None) -> Any:
        """The reports of the same cases as that of `name`."""
        others = self._evaluations.reports.comparable(name)
        return gr.update(choices=others, value=other if other in others else None)

    def _reports_html(self, language: str) -> str:
        return html.reports_html(self._evaluations.reports.readable(_LISTED), language)

    def _fingerprint(self, name: str, progress: Progress, request: gr.Request) -> tuple[str, str]:
        """What asks for drawing everything, and what for the progress alone."""
        return f"{name} {progress.state} {self._page.language(request)}", str(progress.updated)

    def _stop_it(self, name: str | None, request: gr.Request) -> Any:
        self._access.require(request.username, Role.RESEARCHER)
        if not name:
            return gr.skip()
        self._evaluations.stop(name, wait_s=3.0)
        progress = self._evaluations.progress(name)
        return html.progress_html(name, progress, self._page.language(request))


def _shown(figure: Any) -> Any:
    return gr.update(value=figure, visible=figure is not None)


def _ndcg_plot(report: Report, language: str) -> Any:
    marks = []
    for one in sorted(report.methods, key=lambda method: -method.ndcg_10):
        key, colour = _kind(one)
        low, high = one.intervals["ndcg@10"]
        label = html.method_name(one.method, language)
        marks.append(Mark(label, one.ndcg_10, low, high, text(language, f"eval_kind_{key}"), colour))
    return forest_plot(marks, "NDCG@10")


def _kind(one: MethodResult) -> tuple[str, str]:
    if one.method == DEFAULT:
        return "default", TEAL
    if not one.zero_shot:
        return "learnt", ORANGE
    return ("model", VIOLET) if one.answers else ("simple", SLATE)


def _against_plot(report: Report, language: str) -> Any:
    found = {
        one.method: one.against_default
        for one in sorted(report.methods, key=lambda method: -method.ndcg_10)
        if one.against_default is not None
    }
    return _pairs_plot(found, language)


def _pairs_plot(found: dict[str, Difference], language: str) -> Any:
    """Differences of which those that are significant after correction stand out."""
    marks = []
    for name, one in found.items():
        low, high = one.interval
        key, colour = "level", SLATE
        if one.p_holm < ALPHA:
            key, colour = ("better", TEAL) if one.difference > 0 else ("worse", ORANGE)
        group = text(language, f"eval_difference_{key}")
        marks.append(Mark(html.method_name(name, language), one.difference, low, high, group, colour))
    return forest_plot(marks, text(language, "eval_axis_difference"), zero=True)
