"""The playground: somebody's history or wish in, an answer and real items out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from recsys.demos import DOMAINS, load_demo
from recsys.i18n import text
from recsys.recommend import Recommendation, Recommender
from recsys.ui import cards
from recsys.ui.page import Texts

_DEFAULT_SOURCE, _DEFAULT_TARGET = "games", "films"
_RESULTS = 8
_REMOVE_CARET = "() => document.querySelectorAll('.zs-caret').forEach(caret => caret.remove())"


@dataclass(frozen=True)
class Playground:
    """The components that other tabs and the page's own events reach."""

    model: gr.Dropdown
    catalog: gr.Dropdown


class PlaygroundTab:
    """The tab's handlers; all they do is call the recommender and render what comes back."""

    def __init__(self, recommender: Recommender, page: Texts) -> None:
        self._recommender = recommender
        self._page = page

    def build(self) -> Playground:
        """Lay out the tab within the Blocks that are being built."""
        t = self._page
        status = gr.HTML(elem_id="playground-status")
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=320):
                with gr.Row():
                    source = gr.Dropdown(
                        self._domains("en"),
                        value=_DEFAULT_SOURCE,
                        label=t("playground_source"),
                        elem_id="source",
                        min_width=140,
                    )
                    persona = gr.Dropdown(
                        [], value=None, label=t("playground_persona"), elem_id="persona", min_width=140
                    )
                history = gr.Textbox(
                    label=t("playground_history"),
                    info=t("playground_history_info"),
                    lines=6,
                    max_lines=12,
                    elem_id="history",
                )
                query = gr.Textbox(
                    label=t("playground_query"),
                    placeholder=t("playground_query_placeholder"),
                    elem_id="query",
                )
                catalog = gr.Dropdown(
                    self._domains("en"),
                    value=_DEFAULT_TARGET,
                    label=t("playground_catalog"),
                    elem_id="catalog",
                )
                model = gr.Dropdown(
                    self._models(),
                    value=self._recommender.pool.settings.model,
                    label=t("playground_model"),
                    elem_id="model",
                )
                with gr.Accordion(t("playground_settings"), open=False):
                    language = gr.Radio(
                        [("auto", "auto"), ("English", "en"), ("한국어", "ko")],
                        value="auto",
                        label=t("playground_language"),
                    )
                    seed = gr.Number(0, label=t("playground_seed"), precision=0, minimum=0)
                with gr.Row():
                    go = gr.Button(t("playground_go"), variant="primary", elem_id="recommend")
                    stop = gr.Button(t("playground_stop"), elem_id="stop", min_width=80)
            with gr.Column(scale=3, min_width=320):
                answer = gr.HTML(elem_id="answer")
                items = gr.HTML(elem_id="items")
                timings = gr.HTML(elem_id="timings")

        outputs = [answer, items, timings]
        start = gr.on(
            [go.click, query.submit],
            t.shown_stream(self._recommend),
            inputs=[history, query, catalog, model, language, seed],
            outputs=outputs,
            api_visibility="private",
            concurrency_limit=4,
            show_progress="hidden",
        )
        stop.click(None, cancels=[start], js=_REMOVE_CARET, api_visibility="private")
        source.change(self._personas, [source], [persona], api_visibility="private", show_progress="hidden")
        persona.change(
            self._titles, [source, persona], [history], api_visibility="private", show_progress="hidden"
        )
        timer = gr.Timer(1.0)
        timer.tick(
            self._status,
            None,
            [status, timer],
            api_visibility="private",
            show_progress="hidden",
            queue=False,
        )
        loaded = gr.context.Context.root_block
        assert loaded is not None  # built inside Blocks
        loaded.load(
            self._open,
            None,
            [source, persona, catalog, model, answer, status],
            api_visibility="private",
            show_progress="hidden",
        )
        return Playground(model, catalog)

    def _open(self, request: gr.Request) -> tuple[Any, ...]:
        language = self._page.language(request)
        known = [(label, name) for label, name in self._domains(language)]
        return (
            gr.update(choices=known),
            self._personas(_DEFAULT_SOURCE, request),
            gr.update(choices=self._catalogs(language)),
            gr.update(choices=self._models()),
            cards.empty_html(text(language, "playground_empty")),
            self._status_html(language),
        )

    def _recommend(
        self,
        history: str,
        query: str,
        catalog: str,
        model: str,
        language: str,
        seed: float | None,
        request: gr.Request,
    ) -> Iterator[tuple[str, str, str]]:
        words = self._page.language(request)
        yield cards.answer_html(Recommendation(), words), "", ""
        for result in self._recommender.recommend(
            catalog,
            history=history.splitlines(),
            query=query,
            model=model,
            k=_RESULTS,
            language=language,
            seed=int(seed or 0),
        ):
            found = cards.items_html(result.items, words) if result.done else ""
            spent = cards.timings_html(result, words) if result.done else ""
            yield cards.answer_html(result, words), found, spent

    def _personas(self, source: str, request: gr.Request) -> Any:
        language = self._page.language(request)
        histories = load_demo(source).histories if source in DOMAINS else ()
        choices = [(h.name[language], h.id) for h in histories]
        return gr.update(choices=choices, value=choices[0][1] if choices else None)

    def _titles(self, source: str, persona: str | None, request: gr.Request) -> str:
        if source not in DOMAINS or persona is None:
            return ""
        demo = load_demo(source)
        if persona not in {h.id for h in demo.histories}:
            return ""
        language = self._page.language(request)
        return "\n".join(item.title_in(language) for item in demo.history(persona).items)

    def _status(self, request: gr.Request) -> tuple[Any, Any]:
        """What is still being prepared; the timer ends once there is nothing left to say."""
        html = self._status_html(self._page.language(request))
        return html, gr.update(active=bool(html))

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

    def _models(self) -> list[str]:
        return [m.name for m in self._recommender.pool.list()]

    def _domains(self, language: str) -> list[tuple[str, str]]:
        return [(text(language, f"domain_{d}"), d) for d in DOMAINS]

    def _catalogs(self, language: str) -> list[tuple[str, str]]:
        own = [c.name for c in self._recommender.catalogs.list() if c.name not in DOMAINS]
        return [*self._domains(language), *((name, name) for name in own)]

    def refresh_models(self, chosen: str | None) -> Any:
        """The model list as it is now; keeps what was chosen where it still exists."""
        names = self._models()
        return gr.update(choices=names, value=chosen if chosen in names else names[0])
