"""The training step of a run: what it needs, read from the run's folder, and training itself.

The worker does both when it trains alone; with several processes each of them does (`training.runs.rank`),
and comes to the same rows and the same model, since nothing but the folder decides them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.llm.adapters import Adapter, AdapterStore
from recsys.llm.model_files import model_file
from recsys.llm.registry import ModelSpec, load_spec, prompt_format
from recsys.prompts.formats import PromptFormat
from recsys.settings import Paths
from training.comparison.fixed_prompts import fixed_prompts
from training.config import TrainingConfig
from training.data.splits import Prepared
from training.methods import build_trainer, parsed, prepared, trained_style
from training.runs.events import Event, read_events, without_superseded
from training.runs.folder import RunFolder
from training.runs.outcome import TrainingResult


@dataclass(frozen=True)
class Stage:
    """A run that is ready to train: `base` is the folder of the base's weights."""

    folder: RunFolder
    config: TrainingConfig
    spec: ModelSpec
    gguf: Path
    base: Path
    parent: Adapter | None
    text_format: PromptFormat
    rows: Prepared[Any]


def set_up(folder: RunFolder, config: TrainingConfig, paths: Paths) -> Stage:
    """Make the base's weights if need be, and the rows as the model reads them.

    Raises UnknownModelError, ModelFileError, HubModelError, UnknownAdapterError, BaseConversionError,
    RowsFileError, NotEnoughPairsError and NotEnoughRowsError.
    """
    from training.trainer.base_weights import base_weights, load_tokenizer

    spec = load_spec(config.model)
    gguf = model_file(spec, paths.models)
    parent = None
    if config.parent is not None:
        parent = AdapterStore(paths.adapters).get(config.parent, spec.name)
    style = trained_style(config, prompt_format(gguf, spec.style).style, parent)
    text_format = prompt_format(gguf, style)
    base = base_weights(gguf, paths.models)
    tokenizer = load_tokenizer(base)
    rows = prepared(
        config,
        parsed(config, folder.data),
        text_format,
        lambda texts: tokenizer(list(texts))["input_ids"],
    )
    return Stage(folder, config, spec, gguf, base, parent, text_format, rows)


def train_stage(stage: Stage, start: Path | None, emit: Callable[[Event], None]) -> TrainingResult:
    """Train, from the checkpoint `start` where there is one, and leave what was trained in the folder.

    Raises TrainingDivergedError, TrainingConfigError.
    """
    from training.trainer.progress import ProgressCallback
    from training.trainer.ranks import agreed
    from training.trainer.result import train
    from training.trainer.run_callback import RunCallback
    from training.trainer.samples import AnswerSamples

    folder, config = stage.folder, stage.config
    progress = ProgressCallback(emit)
    progress.restore(without_superseded(read_events(folder.events)[0]))
    trainer = build_trainer(
        config,
        stage.rows,
        base=stage.base,
        parent=stage.parent.folder if stage.parent else None,
        checkpoints=folder.checkpoints,
        progress=progress,
    )
    trainer.add_callback(RunCallback(folder))
    samples = fixed_prompts(stage.spec.languages) if config.samples else ()
    tokenizer = trainer.processing_class
    trainer.add_callback(AnswerSamples(samples, stage.text_format, tokenizer, emit))
    return train(
        trainer,
        progress,
        held_out=len(stage.rows.held_out),
        output=folder.peft,
        discard_wanted=lambda: agreed(folder.stop_request()) == "cancel",
        start=start,
    )
