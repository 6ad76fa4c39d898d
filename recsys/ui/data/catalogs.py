"""The catalogues' panel of the data tab: what there is to recommend from, and one's own beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from recsys.access import Access, Role
from recsys.demos import DOMAINS
from recsys.domains.sources import SourceFolder
from recsys.errors import InputError
from recsys.i18n import text
from recsys.retrieval.catalog_files import check_catalog_file
from recsys.retrieval.catalog_view import catalog_rows
from recsys.retrieval.catalogs import Catalogs
from recsys.ui.data import catalogs_html as html
from recsys.ui.page import Texts

_POLL_S = 1.5
_FILES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt")
_BUSY = ("waiting", "indexing")

Changes = dict[Any, Any]


class CatalogsPanel:
    """Its handlers; all they do is call `Catalogs` and draw what it says."""

    def __init__(self, catalogs: Catalogs, sources: SourceFolder, access: Access, page: Texts) -> None:
        self._catalogs = catalogs
        self._sources = sources
        self._access = access
        self._page = page

    def build(self) -> None:
        """Lay out the panel within the tab that is being built."""
        t = self._page
        with (
            gr.Accordion(t("catalogs_title"), open=False, elem_id="catalogs-panel") as panel,
            gr.Row(equal_height=False),
        ):
            with gr.Column(scale=3, min_width=320):
                self._list = gr.HTML(elem_id="catalog-list")
                self._chosen = gr.Dropdown([], label=t("catalogs_choose"), elem_id="catalog-chosen")
                with gr.Row():
                    index = gr.Button(t("catalogs_index"), elem_id="catalog-index", size="sm", min_width=90)
                    stop = gr.Button(t("data_stop"), elem_id="catalog-stop", size="sm", min_width=90)
                    delete = gr.Button(
                        t("catalogs_delete"), elem_id="catalog-delete", size="sm", min_width=90
                    )
                with gr.Column(visible=False) as self._sure:
                    self._question = gr.HTML(elem_id="catalog-question")
                    with gr.Row():
                        sure = gr.Button(
                            t("catalogs_delete"), variant="stop", elem_id="catalog-sure", size="sm"
                        )
                        keep = gr.Button(t("catalogs_keep"), elem_id="catalog-keep", size="sm")
            with gr.Column(scale=2, min_width=320):
                file = gr.File(
                    label=t("catalogs_file"), file_types=[*_FILES], elem_id="catalog-file", height=150
                )
                source = gr.Dropdown([], label=t("catalogs_source"), elem_id="catalog-source")
                with gr.Row():
                    name = gr.Textbox(
                        label=t("catalogs_name"), max_length=64, elem_id="catalog-name", min_width=140
                    )
                    domain = gr.Dropdown(
                        list(DOMAINS), value="films", label=t("catalogs_domain"), allow_custom_value=True,
                        elem_id="catalog-domain", min_width=140,
                    )  # fmt: skip
                skip = gr.Checkbox(
                    False, label=t("catalogs_skip"), info=t("catalogs_skip_info"), elem_id="catalog-skip"
                )
                with gr.Row():
                    check = gr.Button(t("catalogs_check"), elem_id="catalog-check", size="sm")
                    add = gr.Button(t("catalogs_add"), variant="primary", elem_id="catalog-add", size="sm")
                self._report = gr.HTML(elem_id="catalog-report")
        self._timer = gr.Timer(_POLL_S, active=False)

        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        drawn = [self._list, self._chosen, self._timer]
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(t.shown(self._open), [self._chosen, domain], [*drawn, source, domain], **quiet)
        panel.expand(t.shown(self._open), [self._chosen, domain], [*drawn, source, domain], **quiet)
        self._timer.tick(t.shown(self._draw), self._chosen, drawn, queue=False, **quiet)
        check.click(t.shown(self._check), file, self._report, concurrency_limit=1, **quiet)
        add.click(
            t.shown(self._add),
            [file, source, name, domain, skip],
            [*drawn, self._report, file, name],
            concurrency_limit=1,
            **quiet,
        )
        index.click(t.shown(self._index), self._chosen, drawn, **quiet)
        stop.click(t.shown(self._stop), self._chosen, drawn, **quiet)
        delete.click(t.shown(self._ask), self._chosen, [self._sure, self._question], **quiet)
        sure.click(t.shown(self._delete), self._chosen, [*drawn, self._sure], concurrency_limit=1, **quiet)
        keep.click(lambda: gr.update(visible=False), None, self._sure, **quiet)

    def _draw(self, chosen: str | None, request: gr.Request, choose: str = "") -> Changes:
        """The list as it is now; polled while something is being indexed. `choose` is chosen where nothing
        is."""
        rows = catalog_rows(self._catalogs)
        names = [row.name for row in rows]
        language = self._page.language(request)
        choices = [(html.catalog_name(name, language), name) for name in names]
        # What is chosen is only set where it has to be: somebody may be choosing just now.
        update = {} if chosen in names else {"value": choose or (names[-1] if names else None)}
        return {
            self._list: html.catalogs_html(rows, language),
            self._chosen: gr.update(choices=choices, **update),
            self._timer: gr.update(active=any(row.state.state in _BUSY for row in rows)),
        }

    def _open(self, chosen: str | None, domain: str, request: gr.Request) -> list[Any]:
        language = self._page.language(request)
        sources = [
            (text(language, "catalogs_no_source"), ""),
            *((name, name) for name in self._sources.names()),
        ]
        domains = [(html.catalog_name(name, language), name) for name in DOMAINS]
        return [
            *self._draw(chosen, request).values(),
            gr.update(choices=sources, value=""),
            gr.update(choices=domains, value=domain),
        ]

    def _check(self, file: str | None, request: gr.Request) -> str:
        self._access.require(request.username, Role.RESEARCHER)
        language = self._page.language(request)
        if not file:
            raise InputError(reason=text(language, "catalogs_file_first"))
        found = check_catalog_file(Path(file))
        return html.report_html(
            found.items, found.problems, found.bad_rows, found.notes, language, checked=True
        )

    def _add(
        self, file: str | None, source: str | None, name: str, domain: str, skip: bool, request: gr.Request
    ) -> list[Any]:
        self._access.require(request.username, Role.RESEARCHER)
        language = self._page.language(request)
        if file:
            stored = self._catalogs.put_file(
                name or Path(file).stem, domain or "", Path(file), skip_bad_rows=skip
            )
        elif source:
            stored = self._catalogs.put_source(name, self._sources, source)
        else:
            raise InputError(reason=text(language, "catalogs_file_first"))
        self._catalogs.indexer.start(stored.row.name)
        report = html.report_html(
            stored.row.items, stored.problems, stored.bad_rows, stored.notes, language, checked=False
        )
        return [*self._draw(None, request, stored.row.name).values(), report, None, ""]

    def _index(self, chosen: str | None, request: gr.Request) -> Changes:
        self._access.require(request.username, Role.RESEARCHER)
        if chosen:
            self._catalogs.indexer.start(chosen)
        return self._draw(chosen, request)

    def _stop(self, chosen: str | None, request: gr.Request) -> Changes:
        self._access.require(request.username, Role.RESEARCHER)
        if chosen:
            self._catalogs.indexer.stop(chosen)
        return self._draw(chosen, request)

    def _ask(self, chosen: str | None, request: gr.Request) -> tuple[Any, str]:
        self._access.require(request.username, Role.RESEARCHER)
        row = self._catalogs.store.catalog(chosen or "")
        return gr.update(visible=True), html.question_html(row.name, row.items, self._page.language(request))

    def _delete(self, chosen: str | None, request: gr.Request) -> list[Any]:
        self._access.require(request.username, Role.RESEARCHER)
        self._catalogs.delete(chosen or "")
        return [*self._draw(None, request).values(), gr.update(visible=False)]
