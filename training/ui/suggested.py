"""What suits the chosen base model and this machine better than the defaults, and a button that takes it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, cast

import gradio as gr

from recsys.i18n import text
from recsys.llm import hub
from recsys.llm.model_files import model_file
from recsys.llm.registry import load_spec
from recsys.ui.page import Texts
from training.config import Kind
from training.machine.devices import find_device
from training.machine.model_size import model_size
from training.suggestions import Suggestion, suggest, suggested_values
from training.ui.fields import ConfigFields

_BILLION = 1e9


class SuggestedSettings:
    """Lines of explanation under the presets, in the visitor's language."""

    def __init__(self, models: Path, fields: Mapping[str, ConfigFields], page: Texts) -> None:
        self._models = models
        self._fields = fields
        self._page = page

    def build(self) -> None:
        """Lay them out within the Blocks that are being built."""
        self._said = gr.HTML(elem_id="suggested")
        self._use = gr.Button(
            self._page("train_suggested_use"), size="sm", visible=False, elem_id="use-suggested"
        )

    def connect(self, kind: gr.Radio, model: gr.Dropdown) -> None:
        """Follow `kind` and `model`; all fields are laid out by now."""
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        said = self._page.shown(self._explained)
        for change in (kind.change, model.change):
            change(said, [kind, model], [self._said, self._use], **quiet)
        root = gr.context.Context.root_block
        assert root is not None  # built inside Blocks
        root.load(said, [kind, model], [self._said, self._use], **quiet)
        everything = [component for fields in self._fields.values() for component in fields.components]
        self._use.click(self._values, model, everything, **quiet)

    def _explained(self, kind: str, model: str, request: gr.Request) -> tuple[str, Any]:
        language = self._page.language(request)
        parameters = self._parameters(model)
        if parameters is None:
            return "", gr.update(visible=False)
        rules = suggest(cast(Kind, kind), parameters, find_device())
        html = suggested_html(model, parameters, rules, suggested_values(cast(Kind, kind), rules), language)
        return html, gr.update(visible=bool(rules))

    def _values(self, model: str) -> list[Any]:
        """The fields of both methods as they are suggested, the others at their defaults."""
        parameters, device = self._parameters(model) or 0, find_device()
        return [
            value
            for kind, fields in self._fields.items()
            for value in fields.defaults(
                suggested_values(cast(Kind, kind), suggest(cast(Kind, kind), parameters, device))
            )
        ]

    def _parameters(self, model: str) -> int | None:
        """How many weights the model has; None for one that would have to be downloaded first."""
        spec = load_spec(model)
        if spec.name.startswith(hub.PREFIX) and hub.cached(spec.name) is None:
            return None
        return model_size(model_file(spec, self._models)).parameters


def suggested_html(
    model: str, parameters: int, rules: list[Suggestion], values: Mapping[str, Any], language: str
) -> str:
    """One line a rule, and the settings that they give; or that the defaults suit."""
    if not rules:
        said = text(language, "train_suggested_none", model=model, size=f"{parameters / _BILLION:.2f}")
        return f'<p class="zs-note">{escape(said)}</p>'
    lines = "".join(f"<li>{escape(getattr(rule.why, language))}</li>" for rule in rules)
    settings = ", ".join(f"{name} {value}" for name, value in values.items())
    head = text(language, "train_suggested", model=model, size=f"{parameters / _BILLION:.2f}")
    return f'<div class="zs-note">{escape(head)}<ul>{lines}</ul><code>{escape(settings)}</code></div>'
