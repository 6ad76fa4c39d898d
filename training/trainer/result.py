"""What came out of a run in numbers, and the last measurement on the held-out rows. Imports TRL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from transformers import TrainerState

from training.comparison.intervals import wilson
from training.runs.outcome import TrainingResult
from training.trainer.progress import ProgressCallback
from training.trainer.ranks import is_first, whole

ACCURACY = "rewards/accuracies"

_POINTS = 50
T = TypeVar("T")


def train(
    trainer: Any,
    progress: ProgressCallback,
    *,
    held_out: int,
    output: Path,
    discard_wanted: Callable[[], bool],
    start: Path | None = None,
) -> TrainingResult:
    """Train, save what was trained to the folder `output`, and measure the `held_out` rows.

    Training goes on from the checkpoint `start` where there is one.

    An adapter becomes one plain PEFT folder, whatever other adapters were loaded beside it; a model
    all of whose weights were trained, a folder of safetensors. When `discard_wanted` holds after the
    last step, nothing is saved. Raises TrainingDivergedError.
    """
    if start is not None and (state := _final_state(start)) is not None:
        trainer._load_from_checkpoint(str(start))  # train() would do one step too many
        trainer.state = state
    else:
        trainer.train(resume_from_checkpoint=str(start) if start else None)
    if not discard_wanted():
        save(trainer.model, trainer.processing_class, output)
        if held_out and progress.held_out_step != trainer.state.global_step:
            trainer.evaluate()
    first = {f"first/{key}": value for key, value in progress.first.items() if key in ("loss", "grad_norm")}
    measured = {f"held_out/{key}": value for key, value in progress.held_out.items()}
    if held_out and ACCURACY in progress.held_out:
        low, high = wilson(round(progress.held_out[ACCURACY] * held_out), held_out)
        measured |= {"held_out/accuracy_low": low, "held_out/accuracy_high": high, "held_out/pairs": held_out}
    curves = {name: thinned(points) for name, points in progress.curves.items()}
    return TrainingResult(
        steps=trainer.state.global_step,
        metrics={**first, **progress.train, **measured},
        curves=curves,
        tokens_per_s=progress.tokens_per_s,
    )


def _final_state(checkpoint: Path) -> TrainerState | None:
    """The trainer's state in a checkpoint that was written after the last step; None for an earlier one."""
    state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    return state if state.global_step >= state.max_steps else None


def save(model: Any, tokenizer: Any, output: Path) -> None:
    """The trained adapter alone, or the whole model and its tokenizer where there is none.

    Of several processes, all of which have to call this, the first one writes.
    """
    with whole(parameter for parameter in model.parameters() if parameter.requires_grad):
        if not is_first():
            return
        if hasattr(model, "peft_config"):
            model.save_pretrained(str(output), selected_adapters=["default"], save_embedding_layers=False)
        else:
            model.save_pretrained(str(output))
            tokenizer.save_pretrained(str(output))


def thinned(points: Sequence[T], at_most: int = _POINTS) -> list[T]:
    """Evenly chosen points, the first and the last among them."""
    if len(points) <= at_most:
        return list(points)
    return [points[round(i * (len(points) - 1) / (at_most - 1))] for i in range(at_most)]
