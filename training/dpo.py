"""One DPO run on prepared pairs: TRL's DPOTrainer with a PEFT LoRA adapter on all linear layers.

Direct Preference Optimization: Rafailov et al., https://arxiv.org/abs/2305.18290. The reference
model is the base itself with the adapter switched off, so it costs no memory.

Rows go in as plain text. TRL 1.16 then adds the end token to each answer that lacks it, tokenises
prompt and prompt + answer with the tokenizer's own begin token, and takes the answer to begin
where the two differ.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.base_weights import load_base, load_tokenizer
from training.config import DpoConfig
from training.hardware import has_fast_bf16
from training.pairs_data import PreparedPairs, TextPair
from training.progress import ProgressCallback, StopCheck

if TYPE_CHECKING:
    from datasets import Dataset
    from trl import DPOTrainer

    from training.events import MetricsEvent

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DpoResult:
    """How a run ended: steps done, whether it was asked to stop, and its last numbers.

    `metrics` has the last training values, and the held-out ones as `held_out/...`.
    """

    steps: int
    stopped: bool
    metrics: dict[str, float]


def train_dpo(
    config: DpoConfig,
    pairs: PreparedPairs,
    base_folder: Path,
    run_dir: Path,
    adapter_folder: Path,
    emit: Callable[[MetricsEvent], None],
    should_stop: StopCheck,
) -> DpoResult:
    """Train, measure on the held-out pairs, and save the PEFT adapter to `adapter_folder`.

    Checkpoints go to `run_dir/checkpoints`. `should_stop` is asked after each step; the adapter
    of a stopped run is saved too (the caller may not want it). Raises TrainingDivergedError.
    """
    progress = ProgressCallback(emit, should_stop)
    trainer = build_trainer(config, pairs, base_folder, run_dir, [progress])
    trainer.train()
    stopped = should_stop()
    metrics = progress.last_values
    if pairs.held_out and should_stop.wanted:
        measured = trainer.evaluate()
        emit_held_out(...)
    trainer.model.save_pretrained(adapter_folder, save_embedding_layers=False)
    return DpoResult(trainer.state.global_step, stopped, metrics)
