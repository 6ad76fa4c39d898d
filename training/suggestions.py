"""Presets, and what suits a model's size and the machine; both are data in `assets/training/`.

suggested_values("sft", suggest("sft", parameters=8_000_000_000, device=find_device()))
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from training.config import Kind, config_class
from training.errors import TrainingConfigError
from training.machine.devices import Device

_FOLDER = Path(__file__).resolve().parent.parent / "assets" / "training"
_BYTES = 2
"""Of a weight in bf16."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Texts(_Data):
    """One line in both languages."""

    en: str
    ko: str


class Preset(_Data):
    """Settings that belong together."""

    title: Texts
    about: Texts
    values: dict[str, Any] = {}
    sft: dict[str, Any] = {}
    dpo: dict[str, Any] = {}

    def for_kind(self, kind: Kind) -> dict[str, Any]:
        """The settings for one method."""
        return self.values | (self.sft if kind == "sft" else self.dpo)


class Suggestion(_Data):
    """Settings for some sizes and machines, and why."""

    kind: Kind | None = None
    device: Literal["cpu", "gpu"] | None = None
    method: Literal["lora", "qlora", "full"] | None = None
    at_least: float = Field(default=0.0, alias="from")
    below: float = float("inf")
    fills: float = 0.0
    values: dict[str, Any]
    why: Texts

    def holds(self, kind: Kind, parameters: int, device: Device, method: str) -> bool:
        """Whether it is for this run."""
        return (
            self.kind in (None, kind)
            and self.device in (None, device.kind)
            and self.method in (None, method)
            and self.at_least <= parameters / 1e9 < self.below
            and parameters * _BYTES >= self.fills * device.memory
        )


@cache
def presets() -> dict[str, Preset]:
    """All presets by name."""
    table = tomllib.loads((_FOLDER / "presets.toml").read_text(encoding="utf-8"))
    return {name: Preset.model_validate(data) for name, data in table.items()}


def preset_values(name: str | None, kind: Kind) -> dict[str, Any]:
    """The settings of a preset, none without a name; raises TrainingConfigError for an unknown one."""
    if name is None:
        return {}
    if name not in presets():
        raise TrainingConfigError(problems=f"preset: {name!r} is not one of {', '.join(presets())}")
    return presets()[name].for_kind(kind)


@cache
def suggestions() -> tuple[Suggestion, ...]:
    """All rules in their order."""
    table = tomllib.loads((_FOLDER / "suggestions.toml").read_text(encoding="utf-8"))
    return tuple(Suggestion.model_validate(rule) for rule in table["rule"])


def suggest(kind: Kind, parameters: int, device: Device, method: str = "lora") -> list[Suggestion]:
    """The rules for a model of so many parameters on this machine, in the order in which they apply."""
    return [rule for rule in suggestions() if rule.holds(kind, parameters, device, method)]


def suggested_values(kind: Kind, rules: Sequence[Suggestion]) -> dict[str, Any]:
    """The settings that differ from the method's defaults after all rules."""
    merged: dict[str, Any] = {}
    for rule in rules:
        merged |= rule.values
    fields = config_class(kind).model_fields
    return {name: value for name, value in merged.items() if value != fields[name].default}
