"""The playground tab: the form on the left; answers, map and retrieval tester on the right."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from recsys.access import Access
from recsys.demos import ASSETS, load_examples
from recsys.feedback.store import FeedbackStore
from recsys.i18n import text
from recsys.recommend import Recommender
from recsys.ui import cards
from recsys.ui.page import Texts
from recsys.ui.playground import html
from recsys.ui.playground.card_html import domain_name
from recsys.ui.playground.inputs import Form, page_words
from recsys.ui.playground.link import MAX_HISTORY, Inputs, from_link, to_link
from recsys.ui.playground.map import map_script, map_value
from recsys.ui.playground.results import SLOTS, Results

_READ_ADDRESS = "() => window.location.search"
_MAX_LABEL_CHARS = 90


@dataclass(frozen=True)
class Playground:
    """The components that other tabs and the page's own events reach."""

    model: gr.Dropdown
    catalog: gr.Dropdown
    beside: gr.Dropdown


class PlaygroundTab:
    """The tab's layout and wiring."""

    def __init__(
        self, recommender: Recommender, feedback: FeedbackStore, access: Access, page: Texts
    ) -> None:
        self._recommender = recommender
        self._feedback = feedback
        self._page = page
        self._form = Form(recommender, page)
        self._results = Results(recommender, feedback, access, page)
        self._serial = itertools.count(1)

    def build(self) -> Playground:
        """Lay out the tab within the Blocks that are being built."""
        t, form = self._page, self._form
        status = gr.HTML(elem_id="playground-status")
        with gr.Row(equal_height=False, elem_id="playground-row"):
            with gr.Column(scale=2, min_width=300):
                form.build()
                with gr.Row(elem_id="playground-buttons"):
                    go = gr.Button(
                        t("playground_go"),
                        variant="primary",
                        elem_id="recommend",
                        min_width=110,
                        interactive=False,  # until the form is filled, before which it would ask for nothing
                    )
                    stop = gr.Button(t("playground_stop"), elem_id="stop", min_width=80)
                    copy = gr.Button(t("playground_copy"), elem_id="copy-link", min_width=110)
                recent = gr.HTML(
                    value=None,
                    html_template='<div class="zp-recent"></div>',
                    js_on_load=_script("playground_recent"),
                    words=page_words(),
                    elem_id="recent",
                )
            with gr.Column(scale=5, min_width=320):
                examples = gr.HTML(elem_id="playground-examples")
                with gr.Tabs(elem_id="playground-tabs"):
                    with gr.Tab(t("playground_tab_results"), id="results"):
                        more = gr.HTML(elem_id="more")
                        with gr.Row(elem_id="slots"):
                            slots = [gr.HTML(elem_id=f"slot-{n}") for n in range(SLOTS)]
                    with gr.Tab(t("playground_tab_map"), id="map") as map_tab:
                        drawn = gr.HTML(
                            value=None,
                            html_template='<div class="zp-map"></div>',
                            js_on_load=map_script(),
                            elem_id="map",
                        )
                    with gr.Tab(t("playground_tab_search"), id="search"):
                        wanted = gr.Textbox(
                            label=t("playground_search"),
                            info=t("playground_search_info"),
                            lines=2,
                            max_lines=8,
                            elem_id="search-text",
                        )
                        search = gr.Button(t("playground_search_go"), elem_id="search-go", size="sm")
                        passages = gr.HTML(elem_id="passages")
        wire = gr.HTML(
            value=None,
            html_template='<div class="zp-wire"></div>',
            js_on_load=_script("playground"),
            words=page_words(),
            elem_id="playground-wire",
        )
        address = gr.Textbox(visible=False)

        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        running: dict[str, Any] = {**quiet, "concurrency_limit": 4, "concurrency_id": "recommend"}
        shown = [*slots, more]
        gr.on([go.click, form.query.submit], t.shown(self._remembered), form.inputs, recent, **quiet)
        gr.on([go.click, form.query.submit], t.shown_stream(self._run), form.inputs, shown, **running)
        stop.click(self._results.stop, None, None, queue=False, **quiet)
        copy.click(t.shown(self._linked), form.inputs, wire, **quiet)
        chosen = wire.example(t.shown(self._restored), None, form.opened, **quiet)
        chosen.then(t.shown_stream(self._run), form.inputs, shown, **running)
        recent.restore(t.shown(self._restored), None, form.opened, **quiet)
        # Each thumb counts: pressing the next one while the first is stored must not drop it.
        wire.rate(t.shown(self._results.thumb), None, wire, trigger_mode="multiple", **quiet)
        wire.more(t.shown(self._results.more), [form.catalog, form.results], more, **quiet)
        wire.closed(lambda: "", None, more, **quiet)
        asked = [form.catalog, wanted, form.results]
        gr.on([search.click], t.shown(self._results.search), asked, passages, **quiet)
        map_tab.select(t.shown(self._map), form.catalog, drawn, **quiet)
        self._watch_status(status)
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(
            self._open,
            address,
            [*form.opened, recent, slots[0], examples, status, go],
            js=_READ_ADDRESS,
            **quiet,
        )
        return Playground(form.model, form.catalog, form.beside)

    def refresh(self, catalog: str | None, model: str | None, beside: Any, request: gr.Request) -> Any:
        """The lists as they are now, for `catalog`, `model` and `beside`."""
        return self._form.choices_now(catalog, model, beside, request)

    def _open(self, address: str | None, request: gr.Request) -> list[Any]:
        language = self._page.language(request)
        return [
            *self._form.open(from_link(address or ""), request),
            {"serial": next(self._serial)},
            html.nothing_html(language),
            html.examples_html(load_examples(), language),
            self._status_html(language),
            gr.update(interactive=True),
        ]

    def _run(self, request: gr.Request, *fields: Any) -> Iterator[list[Any]]:
        for updates in self._results.run(self._form.read(*fields), request):
            yield [*updates, ""]

    def _remembered(self, request: gr.Request, *fields: Any) -> Any:
        """What was asked, for the list of this browser's own requests."""
        inputs = self._form.read(*fields)
        if not (inputs.history or inputs.query.strip()):
            return gr.skip()
        label = _label(inputs)
        language = self._page.language(request)
        catalog = domain_name(inputs.catalog, language)
        return {"serial": next(self._serial), "link": to_link(inputs), "label": label, "catalog": catalog}

    def _linked(self, request: gr.Request, *fields: Any) -> dict[str, Any]:
        """The address of what the form holds, for the clipboard."""
        return {"serial": next(self._serial), "link": to_link(self._form.read(*fields))}

    def _restored(self, request: gr.Request, event: gr.EventData) -> list[Any]:
        """The form as an example or an earlier request had it."""
        sent = event._data if isinstance(event._data, dict) else {}
        wanted = from_link(str(sent.get("link") or "")) or Inputs()
        return [None, *self._form.restore(wanted, request)]

    def _map(self, catalog: str, request: gr.Request) -> dict[str, Any]:
        language = self._page.language(request)
        last = self._results.last(request)
        return map_value(self._recommender.catalogs, self._feedback, catalog, last, language)

    def _watch_status(self, status: gr.HTML) -> None:
        timer = gr.Timer(1.0)
        timer.tick(
            self._status,
            None,
            [status, timer],
            api_visibility="private",
            show_progress="hidden",
            queue=False,
        )

    def _status(self, request: gr.Request) -> tuple[Any, Any]:
        """What is still being prepared; the timer ends once there is nothing left to say."""
        html_ = self._status_html(self._page.language(request))
        return html_, gr.update(active=bool(html_))

    def _status_html(self, language: str) -> str:
        pool, progress = self._recommender.pool, self._recommender.catalogs.progress
        name = pool.settings.model
        messages = []
        if (error := pool.error(name) or progress.error) is not None:
            return cards.notice_html(str(error), kind="error")
        if not pool.ready(name):
            key = "status_download" if name.startswith("hf:") else "status_model"
            messages.append(text(language, key, name=name))
        if not progress.finished:
            messages.append(text(language, "status_index", done=progress.done, total=progress.total))
        return cards.notice_html(" ".join(messages), kind="busy")


def _script(name: str) -> str:
    return (ASSETS / "web" / f"{name}.js").read_text(encoding="utf-8")


def _label(inputs: Inputs) -> str:
    """One line for the list of requests: what was asked, else the last titles."""
    titles = ", ".join(ref.title or ref.id for ref in reversed(inputs.history[-MAX_HISTORY:]))
    label = " · ".join(part for part in (" ".join(inputs.query.split()), titles) if part)
    return label if len(label) <= _MAX_LABEL_CHARS else label[: _MAX_LABEL_CHARS - 1] + "…"
