"""Configs as command lines, presets and suggestions."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from training import __main__ as cli
from training.config import DpoConfig, SftConfig, TrainingConfig, config_class
from training.errors import TrainingConfigError
from training.machine.devices import Device, find_device
from training.options import command_line
from training.suggestions import preset_values, presets, suggest, suggested_values, suggestions

GPU = Device("gpu", 24 << 30)
EVERYTHING_CHANGED: dict[type[TrainingConfig], dict[str, Any]] = {
    SftConfig: {"method": "qlora", "packing": "on"},
    DpoConfig: {
        "method": "qlora",
        "beta": 0.3,
        "loss": "sigmoid+sft",
        "label_smoothing": 0.2,
        "sft_weight": 0.5,
        "precompute_reference": "off",
        "near_identical": 0.9,
        "max_score": 12.5,
    },
}
COMMON: dict[str, Any] = {
    "model": "/models/it's mine/모델 $HOME.gguf",
    "parent": "first",
    "name": "second",
    "epochs": 7,
    "max_steps": 9,
    "learning_rate": 1e-5,
    "batch_size": 3,
    "gradient_accumulation": 5,
    "lora_r": 4,
    "lora_alpha": 8,
    "lora_dropout": 0.05,
    "max_length": 512,
    "held_out": 0.25,
    "eval_steps": 0,
    "seed": 11,
    "dtype": "fp32",
    "gradient_checkpointing": "on",
    "fast_path": False,
    "save_steps": 7,
    "warmup": 0.0,
    "report_to": "tensorboard",
    "processes": 2,
    "zero": "zero2",
    "samples": False,
}


def parsed_back(command: str, monkeypatch: pytest.MonkeyPatch) -> tuple[TrainingConfig, Path | None]:
    """What the command line would start, without starting it."""
    seen: list[tuple[TrainingConfig, Path | None]] = []
    monkeypatch.setattr(cli, "_run", lambda config, data, out, home: seen.append((config, out)))
    python, m, module, *arguments = shlex.split(command)
    assert (python, m, module) == ("python", "-m", "training")
    cli.app(arguments, standalone_mode=False)
    return seen[0]


@pytest.mark.parametrize("kind", [SftConfig, DpoConfig])
def test_the_command_line_covers_every_setting(
    kind: type[TrainingConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = kind.model_validate(COMMON | EVERYTHING_CHANGED[kind])
    assert all(getattr(config, name) != field.default for name, field in kind.model_fields.items())
    command = command_line(config, Path("/data/rows and more.jsonl"), Path("out"))
    assert parsed_back(command, monkeypatch) == (config, Path("out"))


@pytest.mark.parametrize("kind", [SftConfig, DpoConfig])
def test_defaults_need_no_options(kind: type[TrainingConfig], monkeypatch: pytest.MonkeyPatch) -> None:
    command = command_line(kind(), Path("rows.parquet"))
    assert len(shlex.split(command)) == 6
    assert parsed_back(command, monkeypatch) == (kind(), None)


@pytest.mark.parametrize("name", presets())
@pytest.mark.parametrize("kind", ["sft", "dpo"])
def test_presets_are_configs(name: str, kind: Any) -> None:
    values = preset_values(name, kind)
    config = config_class(kind).model_validate(values)
    assert {field: getattr(config, field) for field in values} == values


def test_options_go_over_a_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    command = "python -m training sft --data x --preset quick-look --max-steps 3"
    config, _ = parsed_back(command, monkeypatch)
    assert (config.max_steps, config.eval_steps) == (3, 10)


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(TrainingConfigError, match="quick-look"):
        preset_values("none", "sft")


@pytest.mark.parametrize("kind", ["sft", "dpo"])
@pytest.mark.parametrize("rule", suggestions())
def test_suggestions_are_configs(rule: Any, kind: Any) -> None:
    if rule.kind in (None, kind):
        config_class(kind).model_validate(rule.values)


@pytest.mark.parametrize(
    ("parameters", "device", "wanted"),
    [
        (0.27e9, Device("cpu", 24 << 30), {}),
        (
            1.5e9,
            Device("cpu", 24 << 30),
            {"batch_size": 1, "gradient_accumulation": 8, "learning_rate": 1e-4},
        ),
        (1.5e9, GPU, {"batch_size": 4, "gradient_accumulation": 2, "learning_rate": 1e-4}),
        (
            8e9,
            GPU,
            {"batch_size": 1, "gradient_accumulation": 16, "learning_rate": 1e-4, "method": "qlora"},
        ),
    ],
)
def test_suggestions_follow_size_and_machine(
    parameters: float, device: Device, wanted: dict[str, Any]
) -> None:
    assert suggested_values("sft", suggest("sft", int(parameters), device)) == wanted


def test_a_device_is_found() -> None:
    device = find_device()
    assert device.memory > 1 << 30
