"""What only the lead sees below the board: the quality report, exports, and prompts to import."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import gradio as gr

from annotation.export.llama_factory import write_llama_factory
from annotation.export.parquet import write_parquet
from annotation.pairs import Strategy, write_jsonl
from annotation.selection import ExportRules, Merge
from annotation.service import AnnotationService
from annotation.ui.quality_html import excluded_html, report_html
from recsys.access import Access, Role
from recsys.errors import AccessError
from recsys.ui.page import Texts

Format = Literal["jsonl", "parquet", "llama-factory", "csv"]


@dataclass(frozen=True)
class LeadView:
    """Two folded sections; both stay away from who is not a researcher, and the server checks again."""

    service: AnnotationService
    access: Access
    page: Texts

    def build(self) -> None:
        """Lay out the sections within the Blocks that are being built."""
        t = self.page
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        with gr.Accordion(t("annotate_quality"), open=False, elem_id="quality") as quality:
            report = gr.HTML("", elem_id="quality-report")
            refresh = gr.Button(t("annotate_refresh"), elem_id="quality-refresh", size="sm")
        with gr.Accordion(t("annotate_export"), open=False, elem_id="annotate-files") as files, gr.Row():
            with gr.Column(min_width=300):
                form = self._export_form()
            with gr.Column(min_width=300):
                self._import_form(quiet)
        for event in (quality.expand, refresh.click):
            event(t.shown(self._report), None, report, concurrency_limit=2, **quiet)
        go, inputs, outputs = form
        go.click(t.shown(self._export), inputs, outputs, concurrency_limit=2, **quiet)
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(self._visible, None, [quality, files], **quiet)

    def _export_form(self) -> tuple[gr.Button, list[Any], list[Any]]:
        t = self.page
        written = gr.Radio(
            [
                ("TRL, JSON Lines", "jsonl"),
                ("TRL, Parquet", "parquet"),
                ("LLaMA-Factory", "llama-factory"),
                (t("annotate_csv"), "csv"),
            ],
            value="jsonl",
            label=t("annotate_format"),
            elem_id="export-format",
        )
        strategy = gr.Radio(
            [(t("annotate_best_worst"), "best-worst"), (t("annotate_all"), "all")],
            value="best-worst",
            label=t("annotate_strategy"),
        )
        merge = gr.Radio(
            [(t("annotate_merge_all"), "all"), (t("annotate_merge_majority"), "majority")],
            value="all",
            label=t("annotate_merge"),
        )
        disagreement = gr.Slider(
            0, 1, value=1, step=0.05, label=t("annotate_disagreement"), info=t("annotate_disagreement_info")
        )
        go = gr.Button(t("annotate_export_go"), elem_id="export", variant="primary")
        exported = gr.File(
            label=t("annotate_files"), interactive=False, elem_id="exported", file_count="multiple"
        )
        said = gr.HTML("", elem_id="export-said")
        return go, [written, strategy, merge, disagreement], [exported, said]

    def _import_form(self, quiet: dict[str, Any]) -> None:
        t = self.page
        given = gr.File(label=t("annotate_import"), file_types=[".jsonl", ".json"], elem_id="import-prompts")
        gr.Markdown(t("annotate_import_info"))
        given.upload(t.shown(self._import), given, given, concurrency_limit=2, **quiet)

    def _visible(self, request: gr.Request) -> tuple[Any, Any]:
        try:
            self._require(request)
        except AccessError:
            return gr.update(visible=False), gr.update(visible=False)
        return gr.update(visible=True), gr.update(visible=True)

    def _report(self, request: gr.Request) -> str:
        self._require(request)
        return report_html(self.service.quality_report(), self.page.language(request))

    def _export(
        self, written: Format, strategy: str, merge: str, disagreement: float, request: gr.Request
    ) -> tuple[list[str], str]:
        self._require(request)
        folder = Path(tempfile.mkdtemp(prefix="zeroshelf-export-"))
        if written == "csv":
            count = self.service.export_judgements(folder / "judgements.csv")
            return _files(folder), self.page.say(request, "annotate_exported", count=count)
        rules = ExportRules(
            strategy=cast(Strategy, strategy),
            merge=cast(Merge, merge),
            max_disagreement=disagreement if disagreement < 1 else None,
        )
        selection = self.service.selection(rules)
        write: dict[Format, Callable[[], int]] = {
            "jsonl": lambda: write_jsonl(selection.pairs, folder / "pairs.jsonl"),
            "parquet": lambda: write_parquet(selection.pairs, folder / "pairs.parquet"),
            "llama-factory": lambda: write_llama_factory(selection.pairs, folder),
        }
        write[written]()
        return _files(folder), excluded_html(selection, self.page.language(request))

    def _import(self, file: str | None, request: gr.Request) -> None:
        self._require(request)
        if file:
            count = self.service.import_prompts(Path(file))
            gr.Info(self.page.say(request, "data_given", count=count))

    def _require(self, request: gr.Request) -> None:
        self.access.require(request.username, Role.RESEARCHER)


def _files(folder: Path) -> list[str]:
    return [str(file) for file in sorted(folder.iterdir())]
