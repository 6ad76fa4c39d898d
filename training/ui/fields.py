"""A config's fields as components: label, one line of help, and the config's own default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

import gradio as gr
from pydantic.fields import FieldInfo

from recsys.ui.page import Texts
from training.config import TrainingConfig

ELSEWHERE = frozenset({"model", "parent", "name"})
"""Fields that the form asks for in its own way."""

MAIN = {
    "dpo": ("epochs", "max_steps", "learning_rate", "batch_size", "beta", "loss"),
    "sft": ("epochs", "max_steps", "learning_rate", "batch_size", "method", "packing"),
}
"""Fields that are shown at once; the others are folded away."""


class ConfigFields:
    """The components of one config, in the order of `names`."""

    def __init__(self, config: type[TrainingConfig], page: Texts) -> None:
        self._config = config
        self._page = page
        self.names: list[str] = []
        self.components: list[gr.components.Component] = []

    def build(self) -> None:
        """Lay them out within the Blocks that are being built."""
        t = self._page
        main = MAIN[self._config.kind]
        self._rows(main)
        with gr.Accordion(t("train_more"), open=False):
            rest = [n for n in self._config.model_fields if n not in main and n not in ELSEWHERE]
            self._rows(rest)

    def values(self, given: Sequence[Any]) -> dict[str, Any]:
        """What the components hold, by field; empty ones are left out, so that the default counts."""
        values = dict(zip(self.names, given, strict=True))
        optional = {n for n, field in self._config.model_fields.items() if field.default is None}
        return {n: v for n, v in values.items() if v not in (None, "") and (v or n not in optional)}

    def defaults(self, over: dict[str, Any]) -> list[Any]:
        """A value for each component: the one in `over`, or the config's default."""
        return [over.get(name, self._config.model_fields[name].default) for name in self.names]

    def _rows(self, names: Sequence[str]) -> None:
        for begin in range(0, len(names), 2):
            with gr.Row():
                for name in names[begin : begin + 2]:
                    self.components.append(self._component(name, self._config.model_fields[name]))
                    self.names.append(name)

    def _component(self, name: str, field: FieldInfo) -> gr.components.Component:
        t, kind = self._page, field.annotation
        common: dict[str, Any] = {
            "label": t(f"field_{name}"),
            "info": t(f"help_{name}"),
            "elem_id": f"{self._config.kind}-{name.replace('_', '-')}",
            "min_width": 140,
        }
        if get_origin(kind) is Literal:
            return gr.Dropdown(list(get_args(kind)), value=field.default, **common)
        if kind is bool:
            return gr.Checkbox(field.default, **common)
        whole = kind is int or int in get_args(kind)
        return gr.Number(field.default, precision=0 if whole else None, **common)
