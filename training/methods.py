"""What differs between SFT and DPO, chosen by the config: style, data, trainer."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.llm.adapters import Adapter
from recsys.prompts.formats import PromptFormat, Style
from training.config import DpoConfig, SftConfig, TrainingConfig
from training.data.instructions import Tokens, parse_instructions, prepare_instructions, read_instructions
from training.data.pairs import parse_pairs, prepare_pairs, read_pairs
from training.data.splits import Prepared
from training.errors import TrainingConfigError

if TYPE_CHECKING:
    from training.trainer.progress import ProgressCallback


def trained_style(config: TrainingConfig, base: Style, parent: Adapter | None) -> Style:
    """How the model is asked in training, and afterwards with its adapter.

    A run that goes on from an adapter keeps its style. SFT of a base model does away with the worked
    examples, which is half of its use: prompts become short.
    """
    if parent is not None:
        return parent.card.style
    return "plain" if config.kind == "sft" and base == "few-shot" else base


Rows = Sequence[Mapping[str, object]]
"""Rows to train on: TRL's conversational preference format for DPO, messages for SFT."""


def parsed(config: TrainingConfig, data: Path | Rows) -> list[Any]:
    """The rows of a file or in memory, as this package's types; raises RowsFileError."""
    if config.kind == "dpo":
        return read_pairs(data) if isinstance(data, Path) else parse_pairs(data)
    return list(read_instructions(data)) if isinstance(data, Path) else parse_instructions(data)


def prepared(
    config: TrainingConfig, rows: Sequence[Any], prompt_format: PromptFormat, tokens: Tokens
) -> Prepared[Any]:
    """The `rows` that `parsed` gave, checked, rendered and split.

    Raises NotEnoughPairsError, NotEnoughRowsError.
    """
    common: dict[str, Any] = {
        "max_length": config.max_length,
        "held_out": config.held_out,
        "seed": config.seed,
    }
    if isinstance(config, DpoConfig):
        return prepare_pairs(
            rows,
            prompt_format,
            tokens,
            near_identical=config.near_identical,
            max_score=config.max_score,
            **common,
        )
    return prepare_instructions(rows, prompt_format, tokens, **common)


def build_trainer(
    config: TrainingConfig,
    rows: Prepared[Any],
    *,
    base: Path,
    parent: Path | None,
    checkpoints: Path,
    progress: ProgressCallback,
) -> Any:
    """TRL's trainer for `config`, ready to train.

    Raises TrainingConfigError when this process is not one of as many as `config` wants.
    """
    _check_processes(config)
    from training.trainer.dpo import build_dpo_trainer
    from training.trainer.sft import build_sft_trainer

    places: dict[str, Any] = {
        "base": base,
        "parent": parent,
        "checkpoints": checkpoints,
        "progress": progress,
    }
    if isinstance(config, SftConfig):
        return build_sft_trainer(config, rows, **places)
    assert isinstance(config, DpoConfig)
    return build_dpo_trainer(config, rows, **places)


def _check_processes(config: TrainingConfig) -> None:
    """A launcher says in the environment how many processes it has started, and with what."""
    if config.processes != int(os.environ.get("WORLD_SIZE", "1")):
        problem = f"processes: {config.processes} wanted, but they were not started by a launcher"
        raise TrainingConfigError(problems=problem)
    if config.zero != "off" and os.environ.get("ACCELERATE_USE_DEEPSPEED") != "true":
        raise TrainingConfigError(problems="zero: DeepSpeed was not started by a launcher")
