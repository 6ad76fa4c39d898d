"""The left half of the data tab: which sources, how much of each, and what is to be written."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from recsys.access import Access, Role
from recsys.demos import ASSETS
from recsys.domains.inspect import Inspection
from recsys.domains.inspect_apart import inspect_apart
from recsys.domains.recognise import recognise
from recsys.domains.registry import DATASETS
from recsys.domains.sources import SourceFolder
from recsys.errors import InputError
from recsys.i18n import error_text, text, texts
from recsys.llm.registry import known_models
from recsys.synthesis.config import SynthesisConfig
from recsys.synthesis.mixture import RECIPE
from recsys.ui import cards
from recsys.ui.data import html
from recsys.ui.page import Texts

_EXAMPLES = 10_000
_DEFAULTS = SynthesisConfig.model_fields
_FIELDS = (
    "sources", "examples", "languages", "responses", "queries", "model", "preference", "test", "seed",
    "situations", "forms", "min_length", "max_length", "k_core", "per_user", "candidates", "hard",
    "max_score", "tokenizer",
)  # fmt: skip


class SourceForm:
    """Lays the form out and turns its values into a request; see `recsys.synthesis.request`."""

    def __init__(self, sources: SourceFolder, access: Access, page: Texts, models: Sequence[str]) -> None:
        self._sources = sources
        self._access = access
        self._page = page
        self._models = list(models)
        self._serial = itertools.count()
        self.inputs: list[gr.components.Component] = []

    def build(self) -> None:
        """Lay out the form within the column that is being built; `inputs` then holds its fields."""
        t = self._page
        chosen = gr.HTML(
            value=None,
            html_template='<div class="zd-root"></div>',
            js_on_load=(ASSETS / "web" / "sources.js").read_text(encoding="utf-8"),
            elem_id="sources",
        )
        with gr.Row():
            look = gr.Button(t("data_inspect"), elem_id="inspect", size="sm")
            refresh = gr.Button(t("data_refresh"), elem_id="refresh-sources", size="sm")
        inspected = gr.HTML(elem_id="inspected")
        with gr.Accordion(t("data_upload"), open=False):
            files = gr.File(
                file_count="multiple", label=t("data_files_of"), elem_id="source-files", height=120
            )
            name = gr.Textbox(label=t("data_source_name"), max_length=80, elem_id="source-name")
            add = gr.Button(t("data_upload_go"), elem_id="add-source", size="sm")
        self.inputs = [chosen, *self._what(), *self._details()]

        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        look.click(t.shown_stream(self._inspect), chosen, inspected, concurrency_limit=2, **quiet)
        refresh.click(t.shown(self._listed), chosen, chosen, **quiet)
        add.click(t.shown(self._add), [files, name, chosen], [chosen, files, name], **quiet)
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(t.shown(self._listed), chosen, chosen, **quiet)

    def request(self, *values: Any) -> dict[str, Any]:
        """What the fields ask for, as `requested_config` takes it."""
        v = dict(zip(_FIELDS, values, strict=True))
        given: dict[str, Any] = {
            "sources": [{"source": name, **part} for name, part in _chosen(v["sources"]).items()],
            "languages": dict.fromkeys(v["languages"], 1.0),
            "situations": dict.fromkeys(v["situations"], 1.0),
            "forms": dict.fromkeys(v["forms"], 1.0),
            "histories": {k: v[k] for k in ("min_length", "max_length", "k_core", "per_user")},
            "listwise": {k: v[k] for k in ("candidates", "hard")},
            "quality": {"max_score": v["max_score"]},
            "teacher": {"model": v["model"]},
        }
        plain = ("examples", "responses", "queries", "preference", "test", "seed", "tokenizer")
        return given | {name: v[name] for name in plain}

    def _what(self) -> list[gr.components.Component]:
        t = self._page
        with gr.Row():
            examples = gr.Number(
                _EXAMPLES, label=t("data_examples"), info=t("data_examples_info"), precision=0, minimum=1,
                elem_id="examples", min_width=140,
            )  # fmt: skip
            languages = gr.CheckboxGroup(
                [("English", "en"), ("한국어", "ko")], value=["en", "ko"], label=t("data_languages"),
                min_width=140,
            )  # fmt: skip
        teachers = [(t("data_by_attributes"), "attributes"), (t("data_by_model"), "model")]
        responses = gr.Radio(
            [teachers[0], (t("data_by_plain"), "plain"), teachers[1]],
            value="attributes", label=t("data_responses"), info=t("data_responses_info"), elem_id="responses",
        )  # fmt: skip
        queries = gr.Radio(teachers, value="attributes", label=t("data_queries"), elem_id="queries")
        model = gr.Dropdown(
            self._models, value=self._models[0], label=t("data_teacher_model"), elem_id="teacher-model"
        )
        return [examples, languages, responses, queries, model]

    def _details(self) -> list[gr.components.Component]:
        t = self._page
        histories, listwise = _DEFAULTS["histories"].default, _DEFAULTS["listwise"].default

        def number(key: str, value: float, **options: Any) -> gr.Number:
            return gr.Number(value, label=t(f"data_{key}"), min_width=110, **options)

        with gr.Accordion(t("data_details"), open=False):
            with gr.Row():
                held = number(
                    "preference", _DEFAULTS["preference"].default, precision=0, elem_id="preference"
                )
                test = number("test", _DEFAULTS["test"].default, precision=0, elem_id="test-rows")
                seed = number("seed", 0, precision=0)
            situations = gr.CheckboxGroup(
                [(t("annotate_passive"), "passive"), (t("annotate_active"), "active")],
                value=["passive", "active"],
                label=t("data_situations"),
            )
            forms = gr.CheckboxGroup(
                [(t("annotate_direct"), "direct"), (t("annotate_listwise"), "listwise")],
                value=["direct", "listwise"],
                label=t("data_forms"),
            )
            with gr.Row():
                rules = [
                    number(key, getattr(histories, key), precision=0, elem_id=key.replace("_", "-"))
                    for key in ("min_length", "max_length", "k_core", "per_user")
                ]
            with gr.Row():
                candidates = number("candidates", listwise.candidates, precision=0)
                hard = number("hard", listwise.hard, step=0.1)
                score = number(
                    "max_score", _DEFAULTS["quality"].default.max_score, step=0.5, elem_id="max-score"
                )
            counted = [m for m in self._models if m in known_models() or m.endswith(".gguf")]
        tokenizer = gr.Dropdown(counted, value=counted[0], label=t("data_tokenizer"))
        return [held, test, seed, situations, forms, *rules, candidates, hard, score, tokenizer]

    def _listed(self, before: Any, request: gr.Request) -> dict[str, Any]:
        """The sources that are there now; what was chosen of those that stay is kept."""
        language = self._page.language(request)
        sources = []
        for name in self._sources.names():
            found = recognise(self._sources.path(name))
            unknown = error_text(found.error, language) if found.error else text(language, "data_unknown")
            note = found.edition or unknown
            sources.append({"name": name, "dataset": found.dataset, "note": note})
        names = {source["name"] for source in sources}
        return {
            "serial": next(self._serial),
            "words": {k: v for k, v in texts(language).items() if k.startswith("data_")},
            "datasets": {name: html.domain_name(name, language) for name in DATASETS},
            "recipe": dict(RECIPE),
            "sources": sources,
            "chosen": {name: part for name, part in _chosen(before).items() if name in names},
        }

    def _inspect(self, sources: Any, request: gr.Request) -> Iterator[str]:
        self._access.require(request.username, Role.RESEARCHER)
        language = self._page.language(request)
        if not (chosen := _chosen(sources)):
            raise InputError(reason=text(language, "data_choose_first"))
        found: list[tuple[str, Inspection]] = []
        for name, part in chosen.items():
            busy = cards.notice_html(text(language, "data_reading", name=name), kind="busy")
            yield html.inspections_html(found, language) + busy
            path = self._sources.path(name)
            seen = inspect_apart(part["dataset"] or recognise(path).dataset, path)
            assert seen is not None  # None only where it was cancelled
            found.append((name, seen))
        yield html.inspections_html(found, language)

    def _add(
        self, files: list[str] | None, name: str, before: Any, request: gr.Request
    ) -> tuple[Any, None, str]:
        self._access.require(request.username, Role.RESEARCHER)
        added = self._sources.add([Path(file) for file in files or []], name)
        listed = self._listed(before, request)
        listed["chosen"].setdefault(added, {"dataset": "", "share": None})
        return listed, None, ""


def _chosen(sources: Any) -> dict[str, dict[str, Any]]:
    """What the page sends of the list: name to dataset (may be empty) and share (may be None)."""
    chosen = sources.get("chosen") if isinstance(sources, dict) else None
    return {
        str(name): {"dataset": str(part.get("dataset") or ""), "share": part.get("share")}
        for name, part in (chosen or {}).items()
    }
