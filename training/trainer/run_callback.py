"""What the trainer does for the run's folder: signs of life, sealed checkpoints, its end when wanted.

Imports transformers and torch.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.runs.checkpoints import seal
from training.runs.folder import RunFolder
from training.trainer.ranks import agreed

_BEAT_S = 1.0


class RunCallback(TrainerCallback):  # type: ignore[misc]  # mypy does not read transformers
    """Add it last: it sees what the other callbacks decided."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._last_beat = 0.0

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Ask after each step whether to go on; a run that stops and saves can be resumed from there."""
        self._beat()
        request = agreed(self._folder.stop_request())
        if request is not None:
            control.should_training_stop = True
        if request == "save":
            control.should_save = True

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Within a step of several batches."""
        self._beat()

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """While the held-out rows are measured."""
        self._beat()

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Seal the checkpoint, when every process has written its part."""
        if args.world_size > 1:
            torch.distributed.barrier()
        if state.is_world_process_zero:
            seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    def _beat(self) -> None:
        if time.monotonic() - self._last_beat > _BEAT_S:
            self._last_beat = time.monotonic()
            with suppress(OSError):
                self._folder.beat()
