"""The form of the playground: who, what, from where, by which models."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import gradio as gr

from recsys.catalog import Item, ItemRef
from recsys.demos import ASSETS, DOMAINS, LANGUAGES, load_demo
from recsys.i18n import text, texts
from recsys.recommend import NO_MODEL, Recommender
from recsys.retrieval.catalog_view import ShownCatalog, catalog_rows
from recsys.ui.page import Texts
from recsys.ui.playground.card_html import domain_name
from recsys.ui.playground.html import model_name
from recsys.ui.playground.link import (
    ANSWER_LANGUAGES,
    MAX_BESIDE,
    MAX_HISTORY,
    MOST_RESULTS,
    RESULTS,
    Inputs,
    history_of,
    names_of,
    results_of,
    seed_of,
)

DEFAULT_SOURCE, DEFAULT_TARGET = "games", "films"

_SUGGESTIONS = 8
_MAX_TITLE_CHARS = 200


class Form:
    """The components and what they hold. `inputs` are the fields in the order in which handlers get them."""

    def __init__(self, recommender: Recommender, page: Texts) -> None:
        self._recommender = recommender
        self._page = page
        self._serial = itertools.count(1)

    def build(self) -> None:
        """Lay out the fields within the column that is being built."""
        t = self._page

        # Gradio marks these functions, which cannot be done to methods.
        def suggest(asked: Any) -> list[dict[str, str]]:
            return self.suggest(asked)

        def resolve(asked: Any) -> list[dict[str, str]]:
            return self.resolve(asked)

        self.persona = gr.Dropdown(
            [], value=None, label=t("playground_persona"), elem_id="persona", filterable=True
        )
        self.history = gr.HTML(
            value=None,
            html_template='<div class="zp-picker"></div>',
            js_on_load=(ASSETS / "web" / "playground_picker.js").read_text(encoding="utf-8"),
            server_functions=[suggest, resolve],
            words=page_words(),
            most=MAX_HISTORY,
            elem_id="history",
        )
        self.query = gr.Textbox(
            label=t("playground_query"),
            placeholder=t("playground_query_placeholder"),
            elem_id="query",
        )
        self.catalog = gr.Dropdown(
            self._catalogs("en"),
            value=DEFAULT_TARGET,
            label=t("playground_catalog"),
            elem_id="catalog",
        )
        self.model = gr.Dropdown(
            self._models(),
            value=self._recommender.pool.default,
            label=t("playground_model"),
            elem_id="model",
        )
        with gr.Accordion(t("playground_settings"), open=False, elem_id="playground-settings"):
            self.beside = gr.Dropdown(
                self._beside("en"),
                value=[],
                multiselect=True,
                max_choices=MAX_BESIDE,
                label=t("playground_beside"),
                info=t("playground_beside_info"),
                elem_id="beside",
            )
            self.results = gr.Slider(
                1, MOST_RESULTS, value=RESULTS, step=1, label=t("playground_results"), elem_id="results"
            )
            self.language = gr.Radio(
                [(t("playground_auto"), "auto"), ("English", "en"), ("한국어", "ko")],
                value="auto",
                label=t("playground_language"),
            )
            self.memory = gr.Radio(
                [(t("playground_shown"), False), (t("playground_memory"), True)],
                value=False,
                label=t("playground_knows"),
                info=t("playground_knows_info"),
                elem_id="memory",
            )
            self.seed = gr.Number(0, label=t("playground_seed"), precision=0, minimum=0)
        self.inputs: list[gr.components.Component] = [
            self.history, self.query, self.catalog, self.model, self.beside, self.results, self.language,
            self.seed, self.memory,
        ]  # fmt: skip
        self.persona.input(
            self._of_persona,
            self.persona,
            self.history,
            api_visibility="private",
            show_progress="hidden",
        )

    @property
    def opened(self) -> list[gr.components.Component]:
        """What `open` fills."""
        return [self.persona, *self.inputs]

    def read(
        self, history: Any, query: str, catalog: str, model: str, beside: Any, results: Any, language: str,
        seed: Any, memory: Any,
    ) -> Inputs:  # fmt: skip
        """The values of `inputs`."""
        return Inputs(
            history=history_of(history),
            query=query or "",
            catalog=catalog or "",
            model=model or "",
            beside=tuple(name for name in names_of(beside, [NO_MODEL, *self._models()]) if name != model),
            results=results_of(results),
            language=language if language in ANSWER_LANGUAGES else "auto",
            seed=seed_of(seed),
            memory=memory is True,
        )

    def open(self, wanted: Inputs | None, request: gr.Request) -> list[Any]:
        """Updates for `opened`: choices as they are now, and `wanted` or the first persona."""
        language = self._page.language(request)
        choices = self._personas(language)
        first = next((value for _, value in choices if value.startswith(f"{DEFAULT_SOURCE}:")), None)
        persona = gr.update(choices=choices, value=None if wanted else first)
        if wanted is None:
            wanted = Inputs(history=_persona_items(first), catalog=DEFAULT_TARGET)
        return [persona, *self.restore(wanted, request)]

    def restore(self, wanted: Inputs, request: gr.Request) -> list[Any]:
        """Updates for `inputs`; a catalogue or model that is not there is left at its default."""
        language = self._page.language(request)
        models, catalogs = self._models(), self._catalogs(language)
        known = {name for _, name in catalogs}
        default = self._recommender.pool.default
        model = wanted.model if wanted.model in models else default
        return [
            self.history_value(wanted.history, request),
            wanted.query,
            gr.update(choices=catalogs, value=wanted.catalog if wanted.catalog in known else DEFAULT_TARGET),
            gr.update(choices=models, value=model),
            gr.update(
                choices=self._beside(language),
                value=[n for n in names_of(wanted.beside, [NO_MODEL, *models]) if n != model],
            ),
            wanted.results,
            wanted.language,
            wanted.seed,
            wanted.memory,
        ]

    def history_value(self, refs: Sequence[ItemRef], request: gr.Request) -> dict[str, Any]:
        """What the picker shows; an item that is no longer there becomes its title."""
        language = self._page.language(request)
        return {
            "serial": self._next(),
            "items": [self._chip(ref, language) for ref in refs if ref.title or ref.id],
        }

    def choices_now(
        self, catalog: str | None, model: str | None, beside: Any, request: gr.Request
    ) -> tuple[Any, Any, Any]:
        """The lists of catalogues and models as they are now; keeps what was chosen where it still exists."""
        language = self._page.language(request)
        catalogs, models = self._catalogs(language), self._models()
        known = {name for _, name in catalogs}
        kept = model if model in models else self._recommender.pool.default
        also = [name for name in names_of(beside, [NO_MODEL, *models]) if name != kept]
        return (
            gr.update(choices=catalogs, value=catalog if catalog in known else DEFAULT_TARGET),
            gr.update(choices=models, value=kept),
            gr.update(choices=self._beside(language), value=also),
        )

    def suggest(self, asked: Any) -> list[dict[str, str]]:
        """Called by the page while somebody types: items of all indexed catalogues."""
        typed, language = _sent(asked, "text"), _language(asked)
        found = self._recommender.catalogs.store.suggest(typed[:_MAX_TITLE_CHARS], _SUGGESTIONS)
        return [_item_chip(catalog, item, language) for catalog, item in found]

    def resolve(self, asked: Any) -> list[dict[str, str]]:
        """Called by the page with pasted lines: each as the item of that title, or as it was typed."""
        language = _language(asked)
        lines = asked.get("lines") if isinstance(asked, dict) else None
        titles = [
            line.strip() for line in (lines if isinstance(lines, list) else []) if isinstance(line, str)
        ]
        titles = [title for title in titles if title][:MAX_HISTORY]
        chips = []
        for title, (catalog, item) in zip(titles, self._recommender.catalogs.find(titles), strict=True):
            chips.append(_item_chip(catalog, item, language) if catalog else _typed_chip(title))
        return chips

    def _chip(self, ref: ItemRef, language: str) -> dict[str, str]:
        if ref.catalog:
            known = self._recommender.catalogs.store.get(ref.catalog, [ref.id])
            if ref.id in known:
                return _item_chip(ref.catalog, known[ref.id], language)
        return _typed_chip(ref.title or ref.id)

    def _of_persona(self, persona: str | None, request: gr.Request) -> Any:
        return self.history_value(_persona_items(persona), request)

    def _next(self) -> int:
        return next(self._serial)

    def _models(self) -> list[str]:
        return [m.name for m in self._recommender.pool.list()]

    def _beside(self, language: str) -> list[tuple[str, str]]:
        return [(model_name(name, language), name) for name in (NO_MODEL, *self._models())]

    def _catalogs(self, language: str) -> list[tuple[str, str]]:
        """(label, name): demo catalogues, then the others; one that is not whole says how far it is."""
        own = [shown for shown in catalog_rows(self._recommender.catalogs) if shown.own]
        return [
            *((text(language, f"domain_{domain}"), domain) for domain in DOMAINS),
            *((_catalog_label(shown, language), shown.name) for shown in own),
        ]

    def _personas(self, language: str) -> list[tuple[str, str]]:
        return [
            (f"{text(language, f'domain_{domain}')} · {history.name[language]}", f"{domain}:{history.id}")
            for domain in DOMAINS
            for history in load_demo(domain).histories
        ]


def _catalog_label(shown: ShownCatalog, language: str) -> str:
    done, total = shown.state.done, shown.state.total
    if done >= total:
        return shown.name
    return text(language, "playground_partly", name=shown.name, share=f"{done / total:.0%}")


def page_words() -> dict[str, dict[str, str]]:
    """The texts that the page's own scripts say, in all languages: the page knows its own."""
    return {
        language: {k: v for k, v in texts(language).items() if k.startswith("playground_js_")}
        for language in LANGUAGES
    }


def _persona_items(persona: str | None) -> tuple[ItemRef, ...]:
    domain, _, history_id = (persona or "").partition(":")
    if domain not in DOMAINS:
        return ()
    found = [history for history in load_demo(domain).histories if history.id == history_id]
    return tuple(ItemRef(domain, item) for history in found for item in history.items)


def _item_chip(catalog: str, item: Item, language: str) -> dict[str, str]:
    local = item.title_in(language)
    return {
        "catalog": catalog,
        "id": item.id,
        "title": local[:_MAX_TITLE_CHARS],
        "second": item.title[:_MAX_TITLE_CHARS] if item.title != local else "",
        "domain": domain_name(item.domain, language),
    }


def _typed_chip(title: str) -> dict[str, str]:
    return {"catalog": "", "id": "", "title": title, "second": "", "domain": ""}


def _sent(asked: Any, key: str) -> str:
    value = asked.get(key) if isinstance(asked, dict) else None
    return value if isinstance(value, str) else ""


def _language(asked: Any) -> str:
    language = _sent(asked, "language")
    return language if language in LANGUAGES else LANGUAGES[0]
