"""The left half of the Train tab: method, data, settings, and the button."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import gradio as gr

from annotation.pairs import PreferencePair, Strategy
from recsys.access import Access, Role
from recsys.errors import InputError
from recsys.llm.adapters import AdapterStore
from recsys.synthesis.jobs import JobStore
from recsys.ui import cards
from recsys.ui.page import Texts
from training.comparison.blind import BlindStore
from training.config import DpoConfig, Kind, SftConfig, TrainingConfig, parse_config
from training.options import command_line
from training.preflight import preflight
from training.runs.store import RunStore
from training.suggestions import preset_values, presets
from training.ui.fields import ConfigFields
from training.ui.preflight_html import preflight_html
from training.ui.suggested import SuggestedSettings

_COUNT_S = 5.0

Pairs = Callable[[Strategy], list[PreferencePair]]


class TrainForm:
    """Asks for a run and starts it."""

    def __init__(
        self,
        runs: RunStore,
        pairs: Pairs,
        votes: BlindStore,
        jobs: JobStore,
        access: Access,
        page: Texts,
        models: Sequence[str],
    ) -> None:
        self._runs = runs
        self._pairs = pairs
        self._votes = votes
        self._jobs = jobs
        self._access = access
        self._page = page
        self._models = list(models)
        self._adapters = AdapterStore(runs.home / "adapters")
        self._fields = {"dpo": ConfigFields(DpoConfig, page), "sft": ConfigFields(SftConfig, page)}

    def build(self) -> None:
        """Lay out the form within the column that is being built."""
        t = self._page
        self._kind = gr.Radio(
            [(t("train_dpo"), "dpo"), (t("train_sft"), "sft")],
            value="dpo",
            label=t("train_kind"),
            elem_id="kind",
        )
        with gr.Column() as dpo_data:
            self._count = gr.HTML(elem_id="pair-count")
            self._strategy = gr.Radio(
                [(t("annotate_best_worst"), "best-worst"), (t("annotate_all"), "all")],
                value="best-worst",
                label=t("annotate_strategy"),
                elem_id="strategy",
            )
            self._with_votes = gr.Checkbox(
                False, label=t("train_votes"), info=t("train_votes_info"), elem_id="with-votes"
            )
        with gr.Column(visible=False) as sft_data:
            self._rows = gr.HTML(elem_id="row-count")
            self._job = gr.Dropdown([], value=None, label=t("train_job"), elem_id="train-job")
        with gr.Row():
            self._model = gr.Dropdown(
                self._models, value=self._models[0], label=t("train_base"), elem_id="base", min_width=140
            )
            self._parent = gr.Dropdown(
                [(t("train_parent_none"), "")],
                value="",
                label=t("train_parent"),
                elem_id="parent",
                min_width=140,
            )
        with gr.Row():
            self._name = gr.Textbox(
                label=t("train_name"), max_length=80, elem_id="adapter-name", min_width=140
            )
            preset = gr.Dropdown([], value=None, label=t("train_preset"), elem_id="preset", min_width=140)
        suggested = SuggestedSettings(self._runs.home / "models", self._fields, t)
        suggested.build()
        with gr.Column(visible=True) as dpo_fields:
            self._fields["dpo"].build()
        with gr.Column(visible=False) as sft_fields:
            self._fields["sft"].build()
        with gr.Row():
            check = gr.Button(t("train_check"), elem_id="check-training")
            self._start = gr.Button(t("train_start"), variant="primary", elem_id="start-training")
        foretold = gr.HTML(elem_id="preflight")
        with gr.Accordion(t("train_command"), open=False):
            show = gr.Button(t("train_show"), size="sm", elem_id="show-command")
            command = gr.Code(language="shell", interactive=False, wrap_lines=True, elem_id="command")

        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        self._kind.change(
            lambda kind: [gr.update(visible=kind == "dpo")] * 2 + [gr.update(visible=kind == "sft")] * 2,
            self._kind,
            [dpo_data, dpo_fields, sft_data, sft_fields],
            **quiet,
        )
        counted = [self._strategy, self._with_votes]
        for choice in counted:
            choice.change(self._count_pairs, counted, self._count, **quiet)
        self._job.change(t.shown(self._count_rows), self._job, self._rows, **quiet)
        fields = [*self._fields["dpo"].components, *self._fields["sft"].components]
        preset.input(self._preset, preset, fields, **quiet)
        suggested.connect(self._kind, self._model)
        check.click(t.shown(self._check), self.inputs, foretold, concurrency_limit=1, **quiet)
        show.click(t.shown(self._command), self.inputs, command, **quiet)
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(self._count_pairs, counted, self._count, **quiet)
        root.load(self._presets, None, preset, **quiet)
        root.load(self._choices, [self._model, self._job, self._parent], [self._job, self._parent], **quiet)
        gr.on(
            [self._kind.change, self._model.change, self._parent.focus, self._job.focus],
            self._choices,
            [self._model, self._job, self._parent],
            [self._job, self._parent],
            **quiet,
        )
        timer = gr.Timer(_COUNT_S)
        timer.tick(self._count_pairs, counted, self._count, queue=False, **quiet)

    @property
    def inputs(self) -> list[gr.components.Component]:
        """The components whose values `started` takes, in its order."""
        own = [self._kind, self._strategy, self._with_votes, self._job, self._model, self._parent, self._name]
        return [*own, *self._fields["dpo"].components, *self._fields["sft"].components]

    def on_start(self, shown: Callable[[str], Any], run: gr.Dropdown) -> None:
        """Let the button start a run and put what `shown` makes of its id into `run`."""

        def start(request: gr.Request, *values: Any) -> Any:
            self._access.require(request.username, Role.RESEARCHER)
            config, data = self._asked(values, request)
            return shown(self._runs.start(config, data, request_id=uuid.uuid4().hex))

        self._start.click(
            self._page.shown(start),
            self.inputs,
            run,
            concurrency_limit=1,
            api_visibility="private",
            show_progress="hidden",
        )

    def _asked(
        self, values: Sequence[Any], request: gr.Request
    ) -> tuple[TrainingConfig, Path | list[Mapping[str, object]]]:
        kind, strategy, with_votes, job, model, parent, name, *rest = values
        dpo = self._fields["dpo"]
        split = len(dpo.components)
        given = dpo.values(rest[:split]) if kind == "dpo" else self._fields["sft"].values(rest[split:])
        given |= {"model": model, "parent": parent or None, "name": name.strip() or None}
        config = parse_config(given, kind)
        if kind == "dpo":
            judged = [pair.to_row() for pair in self._pairs(cast(Strategy, strategy))]
            return config, [*judged, *(self._votes.pairs() if with_votes else ())]
        if not job:
            raise InputError(reason=self._page.say(request, "train_no_jobs"))
        return config, self._jobs.folder(job) / "train.parquet"

    def _command(self, request: gr.Request, *values: Any) -> str:
        config, data = self._asked(values, request)
        return command_line(config, data if isinstance(data, Path) else Path("pairs.jsonl"))

    def _check(self, request: gr.Request, *values: Any) -> str:
        self._access.require(request.username, Role.RESEARCHER)
        config, data = self._asked(values, request)
        return preflight_html(preflight(config, data, self._runs.home), self._page.language(request))

    def _count_pairs(self, strategy: str, with_votes: bool, request: gr.Request) -> str:
        pairs, votes = self._pairs(cast(Strategy, strategy)), self._votes.pairs() if with_votes else []
        said = []
        if pairs or not votes:
            prompts = len({pair.task_id for pair in pairs})
            key = "train_pairs" if pairs else "train_no_pairs"
            said.append(self._page.say(request, key, pairs=len(pairs), prompts=prompts, strategy=strategy))
        if with_votes:
            said.append(self._page.say(request, "train_votes_count", votes=len(votes)))
        return cards.notice_html(" ".join(said))

    def _count_rows(self, job: str | None, request: gr.Request) -> str:
        report = self._jobs.report(job) if job else None
        if job is None or report is None:
            return cards.notice_html(self._page.say(request, "train_no_jobs"))
        return cards.notice_html(
            self._page.say(request, "train_rows", rows=f"{report.total('train'):,}", job=job)
        )

    def _presets(self, request: gr.Request) -> Any:
        """The presets with their line of explanation, in the visitor's language."""
        language = self._page.language(request)
        shown = {
            name: (getattr(p.title, language), getattr(p.about, language)) for name, p in presets().items()
        }
        choices = [(f"{title}: {about}", name) for name, (title, about) in shown.items()]
        return gr.update(choices=[(self._page.say(request, "train_preset_none"), ""), *choices], value="")

    def _preset(self, name: str | None) -> list[Any]:
        """The fields of both methods as the preset wants them, the others at their defaults."""
        return [
            value
            for kind, fields in self._fields.items()
            for value in fields.defaults(preset_values(name or None, cast(Kind, kind)))
        ]

    def _choices(self, model: str, job: str | None, parent: str, request: gr.Request) -> tuple[Any, Any]:
        """Finished data jobs, and the adapters of the base model."""
        jobs = [name for name in self._jobs.names() if self._jobs.report(name)]
        none = (self._page.say(request, "train_parent_none"), "")
        parents = [adapter.card.name for adapter in self._adapters.list(model)]
        return (
            gr.update(choices=jobs, value=job if job in jobs else (jobs[0] if jobs else None)),
            gr.update(choices=[none, *parents], value=parent if parent in parents else ""),
        )
