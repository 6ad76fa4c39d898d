"""The left half of the evaluation tab: which dataset, which methods, how many users."""

from __future__ import annotations

from typing import Any

import gradio as gr

from recsys.domains.sources import SourceFolder
from recsys.errors import InputError
from recsys.evaluation.cases import HISTORY_LENGTH
from recsys.evaluation.korean_news import NAME as KOREAN_NEWS
from recsys.evaluation.load import recognise_cases
from recsys.evaluation.methods.registry import DEFAULT, GROUPS, METHODS, Group
from recsys.i18n import text
from recsys.llm.pool import ModelPool
from recsys.ui import cards
from recsys.ui.data.html import domain_name
from recsys.ui.evaluation.html import method_name
from recsys.ui.page import Texts

_CHOSEN: dict[Group, tuple[str, ...]] = {
    "simple": ("random", "bm25", "last", "mean", "max-similarity", "recent-max-similarity", DEFAULT),
    "in-domain": ("popularity", "item-knn", "ease"),
    "model": (),
}
_USERS = 500


class EvaluationForm:
    """Lays the form out and turns its values into a request; see `recsys.evaluation.request`."""

    def __init__(self, sources: SourceFolder, pool: ModelPool, page: Texts) -> None:
        self._sources = sources
        self._pool = pool
        self._page = page
        self.inputs: list[gr.components.Component] = []

    def build(self, tab: gr.Tab) -> None:
        """Lay out the form within the column of `tab` that is being built; `inputs` then holds its fields."""
        t = self._page
        self._source = gr.Dropdown([], value=None, label=t("eval_source"), elem_id="eval-source")
        self._none = gr.HTML(elem_id="eval-no-source", visible=False)
        self._groups = {group: self._group(group) for group in GROUPS}
        self._model = gr.Dropdown(
            self._models(), value=self._pool.default, label=t("eval_model"),
            info=t("eval_model_info"), elem_id="eval-model",
        )  # fmt: skip
        with gr.Row():
            users = gr.Number(
                _USERS, label=t("eval_users"), info=t("eval_users_info"), precision=0,
                elem_id="eval-users", min_width=140,
            )  # fmt: skip
            seed = gr.Number(
                0, label=t("data_seed"), info=t("eval_seed_info"), precision=0,
                elem_id="eval-seed", min_width=110,
            )  # fmt: skip
            history = gr.Number(
                HISTORY_LENGTH, label=t("eval_history"), info=t("eval_history_info"), precision=0,
                elem_id="eval-history", min_width=140,
            )  # fmt: skip
        split = gr.Radio(
            [(t(f"eval_split_{name}"), name) for name in ("auto", "time", "last")], value="auto",
            label=t("eval_split"), elem_id="eval-split",
        )  # fmt: skip
        self.inputs = [self._source, *self._groups.values(), self._model, users, seed, history, split]

        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        listed = [self._source, self._none, self._model, *self._groups.values()]
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        opened = [root.load, tab.select]  # sources and models can have come since
        gr.on(opened, t.shown(self._listed), self.inputs[:5], listed, **quiet)
        self._source.change(
            t.shown(self._fitting),
            [self._source, self._groups["in-domain"]],
            self._groups["in-domain"],
            **quiet,
        )

    def check(self, language: str, source: str | None, *values: Any) -> None:
        """Raise InputError in the visitor's language for what a person can easily leave out."""
        simple, in_domain, with_model, _, users, seed, history, _ = values
        missing = {
            "eval_choose_source": not source,
            "eval_choose_methods": not [*simple, *in_domain, *with_model],
            "eval_choose_users": users is None or users < 1,
            "eval_choose_seed": seed is None or seed < 0,
            "eval_choose_history": history is None or not 1 <= history <= HISTORY_LENGTH,
        }
        for key, is_missing in missing.items():
            if is_missing:
                raise InputError(reason=text(language, key))

    def request(
        self,
        source: str | None,
        simple: list[str],
        in_domain: list[str],
        with_model: list[str],
        model: str,
        users: float | None,
        seed: float | None,
        history: float | None,
        split: str,
    ) -> dict[str, Any]:
        """What the fields ask for, as `requested_evaluation` takes it."""
        return {
            "source": source or "",
            "methods": [*simple, *in_domain, *with_model],
            "model": model or "",
            "users": users if users is not None else 0,
            "seed": seed if seed is not None else 0,
            "history": history if history is not None else 0,
            "split": split or "auto",
        }

    def _group(self, group: Group) -> gr.CheckboxGroup:
        t, key = self._page, group.replace("-", "_")
        return gr.CheckboxGroup(
            self._choices(group, "en"), value=list(_CHOSEN[group]), label=t(f"eval_group_{key}"),
            info=t(f"eval_group_{key}_info"), elem_id=f"eval-{group}", elem_classes="zs-methods",
        )  # fmt: skip

    def _choices(self, group: Group, language: str) -> list[tuple[str, str]]:
        return [(method_name(name, language), name) for name, spec in METHODS.items() if spec.group == group]

    def _listed(
        self,
        chosen: str | None,
        simple: list[str],
        in_domain: list[str],
        with_model: list[str],
        model: str,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        """The sources and models that are there now; what was chosen and is still there is kept."""
        language = self._page.language(request)
        names = []
        for name in self._sources.names():
            if dataset := recognise_cases(self._sources.path(name)).dataset:
                names.append((f"{name} · {domain_name(dataset, language)}", name))
        known = [name for _, name in names]
        value = chosen if chosen in known else (known[0] if known else None)
        empty = cards.notice_html(text(language, "eval_no_sources"))
        models = self._models()
        groups = [
            gr.update(choices=self._choices(group, language), value=ticked)
            for group, ticked in zip(GROUPS, (simple, in_domain, with_model), strict=True)
        ]
        return (
            gr.update(choices=names, value=value),
            gr.update(value=empty, visible=not known),
            gr.update(choices=models, value=model if model in models else self._pool.default),
            *groups,
        )

    def _fitting(self, source: str | None, ticked: list[str]) -> Any:
        """Methods that learn from users cannot be had where there are none."""
        if not source:
            return gr.skip()
        users = recognise_cases(self._sources.path(source)).dataset != KOREAN_NEWS
        kept = (ticked or list(_CHOSEN["in-domain"])) if users else []
        return gr.update(interactive=users, value=kept)

    def _models(self) -> list[str]:
        return [model.name for model in self._pool.list()]
