"""One run on the page: its state, its alarms, its curves beside those of other runs, its log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from recsys.access import Access, Role
from recsys.i18n import text
from recsys.ui import cards
from recsys.ui.page import Texts
from training.comparison.curves import FIGURES, Figure, curve_frame
from training.runs.events import Event
from training.runs.status import RunStatus
from training.runs.store import RunStore
from training.ui.html import alarms_html, differences_html, legend_html, runs_html, samples_html
from training.ui.run_html import run_html

_POLL_S = 1.5
_COLOURS = ("#0d9488", "#ea580c", "#4f46e5", "#be185d", "#65a30d", "#0284c7", "#a16207", "#7c3aed")

Changes = dict[Any, Any]


class RunBoard:
    """Draws the chosen run, and asks it to stop or to go on."""

    def __init__(self, runs: RunStore, access: Access, page: Texts) -> None:
        self._runs = runs
        self._access = access
        self._page = page

    def build(self) -> gr.Dropdown:
        """Lay out the top of the board; returns the choice of run. `build_tabs` does the rest."""
        t = self._page
        self._run = gr.Dropdown([], value=None, label=t("train_run"), elem_id="run")
        self._status = gr.HTML(elem_id="run-status")
        with gr.Row():
            self._stop = gr.Button(t("train_stop_save"), visible=False, elem_id="stop-training", size="sm")
            self._cancel = gr.Button(t("train_cancel"), visible=False, elem_id="cancel-training", size="sm")
            self._resume = gr.Button(t("train_resume"), visible=False, elem_id="resume-training", size="sm")
            self.use = gr.Button(
                t("train_use"), visible=False, variant="primary", elem_id="use-adapter", size="sm"
            )
        # Here, since Tabs takes everything in it for a tab.
        self._timer, self._seen = gr.Timer(_POLL_S), gr.State("")
        return self._run

    def build_tabs(self) -> None:
        """Lay out curves, log and the table of runs, each in a tab of the Tabs that are being built."""
        t = self._page
        with gr.Tab(t("train_tab_curves"), id="curves"):
            with gr.Row():
                self._compare = gr.Dropdown(
                    [], value=[], multiselect=True, label=t("train_compare"), elem_id="compare", scale=3
                )
                self._smoothing = gr.Slider(
                    0, 0.95, value=0, step=0.05, label=t("train_smoothing"), elem_id="smoothing", scale=2
                )
            self._legend = gr.HTML(elem_id="legend")
            with gr.Row(elem_id="curves", visible=False) as self._curves:
                self._plots = [self._plot(figure) for figure in FIGURES]
            self._differences = gr.HTML(elem_id="differences")
            self._samples = gr.HTML(elem_id="samples")
        with gr.Tab(t("train_tab_log"), id="log"):
            self._log = gr.Code(language=None, lines=10, max_lines=24, elem_id="log")
        with gr.Tab(t("train_tab_runs"), id="runs"):
            self._table = gr.HTML(elem_id="runs-table")
        self._connect()

    def choices(self, chosen: str | None = None) -> Any:
        """The runs there are, newest first, with `chosen` or the newest selected."""
        named = self._named()
        newest = named[0][1] if named else None
        return gr.update(choices=named, value=chosen or newest)

    def _connect(self) -> None:
        t = self._page
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        chosen = [self._run, self._compare, self._smoothing]
        shown = [
            self._status, self._stop, self._cancel, self._resume, self.use, self._compare, self._legend,
            self._curves, *self._plots, self._differences, self._samples, self._log, self._table, self._seen,
        ]  # fmt: skip
        self._run.change(t.shown(self._draw), chosen, shown, **quiet)
        gr.on([self._compare.input, self._smoothing.release], t.shown(self._draw), chosen, shown, **quiet)
        self._timer.tick(self._tick, [*chosen, self._seen], shown, queue=False, **quiet)
        self._stop.click(t.shown(self._stop_run), self._run, self._status, **quiet)
        self._cancel.click(t.shown(self._cancel_run), self._run, self._status, **quiet)
        self._resume.click(t.shown(self._resume_run), self._run, self._status, **quiet)
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(self.choices, None, self._run, **quiet)

    def _plot(self, figure: Figure) -> gr.LinePlot:
        return gr.LinePlot(
            curve_frame({}, figure),
            x="step",
            y="value",
            color="series",
            color_map={},
            colors_in_legend=[],  # Gradio cuts it off; the legend above the plots names the colours
            x_title=" ",
            y_title=" ",
            height=190,
            min_width=260,
            label=self._page(figure.label),
            show_label=True,
        )

    def _tick(
        self, run: str | None, compare: list[str], smoothing: float, seen: str, request: gr.Request
    ) -> Any:
        """Draw again, unless nothing has happened since `seen`."""
        if not run or self._fingerprint(run, request) == seen:
            return gr.skip()
        return self._draw(run, compare, smoothing, request)

    def _draw(self, run: str | None, compare: list[str], smoothing: float, request: gr.Request) -> Changes:
        language = self._page.language(request)
        if not run:
            return {self._status: cards.empty_html(text(language, "train_empty"))}
        status = self._runs.get(run)
        beside = [one for one in compare or [] if one != run]
        events = {one: self._runs.events(one)[0] for one in (run, *beside)}
        statuses = [status, *(self._runs.get(one) for one in beside)]
        others = [(label, one) for label, one in self._named() if one != run]
        return {
            self._status: run_html(status, events[run], language) + alarms_html(events[run], language),
            self._stop: gr.update(visible=not status.is_over),
            self._cancel: gr.update(visible=not status.is_over),
            self._resume: gr.update(visible=status.is_resumable),
            self.use: gr.update(visible=status.adapter is not None),
            self._compare: gr.update(choices=others, value=beside),
            **self._curve_changes(statuses, events, smoothing),
            self._differences: differences_html(
                {s.name: self._runs.config(s.run_id) for s in statuses}, language
            ),
            self._samples: samples_html(events[run], language),
            self._log: self._runs.log_tail(run),
            self._table: runs_html(self._runs.list(), language),
            self._seen: self._fingerprint(run, request),
        }

    def _curve_changes(
        self, statuses: Sequence[RunStatus], events: dict[str, list[Event]], smoothing: float
    ) -> Changes:
        by_name = {status.name: events[status.run_id] for status in statuses}
        frames = [curve_frame(by_name, figure, smoothing=smoothing) for figure in FIGURES]
        changes: Changes = {}
        named: dict[str, str] = {}
        for plot, frame in zip(self._plots, frames, strict=True):
            series = list(dict.fromkeys(frame["series"]))
            colours = dict(zip(series, _COLOURS, strict=False))
            named |= colours
            changes[plot] = gr.update(value=frame, color_map=colours, visible=bool(len(frame)))
        several = len(statuses) > 1
        changes[self._curves] = gr.update(visible=any(len(frame) for frame in frames))
        changes[self._legend] = legend_html(named) if several else ""
        return changes

    def _fingerprint(self, run: str, request: gr.Request) -> str:
        status = self._runs.get(run)
        return f"{run} {status.state} {status.step} {status.adapter} {self._page.language(request)}"

    def _named(self) -> list[tuple[str, str]]:
        return [(f"{status.name} · {status.run_id}", status.run_id) for status in self._runs.list()]

    def _stop_run(self, run: str | None, request: gr.Request) -> str:
        return self._ask_to_stop(run, request, save=True)

    def _cancel_run(self, run: str | None, request: gr.Request) -> str:
        return self._ask_to_stop(run, request, save=False)

    def _ask_to_stop(self, run: str | None, request: gr.Request, *, save: bool) -> str:
        self._access.require(request.username, Role.RESEARCHER)
        language = self._page.language(request)
        if not run:
            return cards.empty_html(text(language, "train_empty"))
        return run_html(self._runs.stop(run, save=save), self._runs.events(run)[0], language)

    def _resume_run(self, run: str | None, request: gr.Request) -> str:
        self._access.require(request.username, Role.RESEARCHER)
        language = self._page.language(request)
        if not run:
            return cards.empty_html(text(language, "train_empty"))
        return run_html(self._runs.resume(run), self._runs.events(run)[0], language)
