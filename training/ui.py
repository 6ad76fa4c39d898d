"""The Train tab: pairs in, one button, curves that move, and the adapter into the playground."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import gradio as gr

from annotation.pairs import PreferencePair, Strategy
from recsys.access import Access, Role
from recsys.errors import ConflictError
from recsys.i18n import text
from recsys.llm.pool import split_reference
from recsys.ui import cards
from recsys.ui.page import Texts
from training.config import DpoConfig, parse_config
from training.curves import FIGURES, curve_frame
from training.run_html import run_html
from training.runs import RunStore

_POLL_S = 1.5


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


class TrainTab:
    """The tab's handlers; all they do is call the run store and draw what it says."""

    def __init__(
        self,
        runs: RunStore,
        pairs: Callable[[Strategy], list[PreferencePair]],
        access: Access,
        page: Texts,
        models: Sequence[str],
    ) -> None:
        self._runs = runs
        self._pairs = pairs
        self._access = access
        self._page = page
        self._models = list(models)

    def build(self) -> Train:
        """Lay out the tab within the Blocks that are being built."""
        t, fields = self._page, DpoConfig.model_fields
        default = {name: field.default for name, field in fields.items()}
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=320):
                count = gr.HTML(elem_id="pair-count")
                strategy = gr.Radio(
                    [(t("annotate_best_worst"), "best-worst"), (t("annotate_all"), "all")],
                    value="best-worst",
                    label=t("annotate_strategy"),
                    elem_id="strategy",
                )
                model = gr.Dropdown(
                    self._models, value=self._models[0], label=t("train_base"), elem_id="base"
                )
                name = gr.Textbox(label=t("train_name"), max_length=80, elem_id="adapter-name")
                with gr.Row():
                    epochs = gr.Number(
                        default["epochs"], label=t("train_epochs"), precision=0, elem_id="epochs"
                    )
                    steps = gr.Number(0, label=t("train_max_steps"), precision=0, elem_id="max-steps")
                with gr.Row():
                    rate = gr.Number(default["learning_rate"], label=t("train_learning_rate"), step=1e-5)
                    beta = gr.Number(default["beta"], label=t("train_beta"), step=0.05)
                    batch = gr.Number(
                        default["batch_size"],
                        label=t("train_batch_size"),
                        precision=0,
                        elem_id="batch-size",
                    )
                start = gr.Button(t("train_start"), variant="primary", elem_id="start-training")
            with gr.Column(scale=3, min_width=320):
                run = gr.Dropdown([], value=None, label=t("train_run"), elem_id="run")
                status = gr.HTML(elem_id="run-status")
                with gr.Row():
                    stop = gr.Button(t("train_stop_save"), elem_id="stop-training")
                    cancel = gr.Button(t("train_cancel"), elem_id="cancel-training")
                    use = gr.Button(t("train_use"), variant="primary", elem_id="use-adapter")
                with gr.Row(elem_id="curves", visible=False) as curves:
                    plots = [
                        gr.LinePlot(
                            curve_frame([], figure),
                            x="step",
                            y="value",
                            color="series" if len(figure.series) > 1 else None,
                            color_map={"chosen": "#0d9488", "rejected": "#ea580c"},
                            colors_in_legend=[],  # Gradio cuts it off; the label names the colours
                            x_title=" ",
                            y_title=" ",
                            height=190,
                            min_width=260,
                            label=t(figure.label),
                            show_label=True,
                        )
                        for figure in FIGURES
                    ]
                with gr.Accordion(t("train_log"), open=False):
                    log = gr.Code(language=None, lines=8, max_lines=16, elem_id="log")

        seen = gr.State("")
        shown = [status, curves, *plots, log, seen]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        form = [strategy, model, name, epochs, steps, rate, beta, batch]
        start.click(t.shown(self._start), form, run, concurrency_limit=1, **quiet)
        run.change(self._draw, [run], shown, **quiet)
        strategy.change(self._count, strategy, count, **quiet)
        stop.click(t.shown(self._stop), run, status, **quiet)
        cancel.click(t.shown(self._cancel), run, status, **quiet)
        timer = gr.Timer(_POLL_S)
        timer.tick(self._tick, [run, seen], shown, queue=False, **quiet)
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(self._open, strategy, [count, run], **quiet)
        pairs_timer = gr.Timer(5.0)
        pairs_timer.tick(self._count, strategy, count, queue=False, **quiet)
        return Train(use, run, t.shown(self._adapter))

    def _open(self, strategy: str, request: gr.Request) -> tuple[str, Any]:
        runs = self._runs.list()
        newest = runs[0].run_id if runs else None
        update = gr.update(choices=[(f"{r.name} · {r.run_id}", r.run_id) for r in runs], value=newest)
        return self._count(strategy, request), update

    def _count(self, strategy: str, request: gr.Request) -> str:
        pairs = self._pairs(cast(Strategy, strategy))
        if not pairs:
            return cards.notice_html(self._page.say(request, "train_no_pairs"))
        prompts = len({pair.task_id for pair in pairs})
        return cards.notice_html(
            self._page.say(request, "train_pairs", pairs=len(pairs), prompts=prompts, strategy=strategy)
        )

    def _start(
        self,
        strategy: str,
        model: str,
        name: str,
        epochs: float | None,
        steps: float | None,
        rate: float | None,
        beta: float | None,
        batch: float | None,
        request: gr.Request,
    ) -> Any:
        self._access.require(request.username, Role.RESEARCHER)
        given = {
            "model": model,
            "name": name.strip() or None,
            "epochs": epochs,
            "max_steps": steps or None,
            "learning_rate": rate,
            "beta": beta,
            "batch_size": batch,
        }
        config = parse_config({k: v for k, v in given.items() if v is not None})
        rows = [pair.to_row() for pair in self._pairs(cast(Strategy, strategy))]
        run_id = self._runs.start(config, rows, request_id=uuid.uuid4().hex)
        choices = [(f"{r.name} · {r.run_id}", r.run_id) for r in self._runs.list()]
        return gr.update(choices=choices, value=run_id)

    def _tick(self, run_id: str | None, seen: str, request: gr.Request) -> Any:
        """Draw again, unless nothing has happened since `seen`."""
        if run_id is None or self._fingerprint(run_id, request) == seen:
            return tuple(gr.skip() for _ in range(len(FIGURES) + 4))
        return self._draw(run_id, request)

    def _draw(self, run_id: str | None, request: gr.Request) -> tuple[Any, ...]:
        language = self._page.language(request)
        if run_id is None:
            empty = cards.empty_html(text(language, "train_empty"))
            frames = [curve_frame([], figure) for figure in FIGURES]
            return (empty, gr.update(visible=False), *frames, "", "")
        seen = self._fingerprint(run_id, request)
        events = self._runs.events(run_id)[0]
        status = run_html(self._runs.get(run_id), events, language)
        frames = [curve_frame(events, figure) for figure in FIGURES]
        drawn = gr.update(visible=any(len(frame) for frame in frames))
        return (status, drawn, *frames, self._runs.log_tail(run_id), seen)

    def _fingerprint(self, run_id: str, request: gr.Request) -> str:
        status = self._runs.get(run_id)
        return f"{run_id} {status.state} {status.step} {status.adapter} {self._page.language(request)}"

    def _stop(self, run_id: str | None, request: gr.Request) -> str:
        return self._ask_to_stop(run_id, request, save=True)

    def _cancel(self, run_id: str | None, request: gr.Request) -> str:
        return self._ask_to_stop(run_id, request, save=False)

    def _ask_to_stop(self, run_id: str | None, request: gr.Request, *, save: bool) -> str:
        self._access.require(request.username, Role.RESEARCHER)
        language = self._page.language(request)
        if run_id is None:
            return cards.empty_html(text(language, "train_empty"))
        return run_html(self._runs.stop(run_id, save=save), self._runs.events(run_id)[0], language)

    def _adapter(self, run_id: str | None, request: gr.Request) -> str:
        """The model reference "base+adapter" that a run has produced."""
        status = self._runs.get(run_id) if run_id else None
        if status is None or status.adapter is None:
            raise ConflictError(reason=self._page.say(request, "train_no_adapter"))
        return f"{self._runs.config(status.run_id).model}+{status.adapter}"
