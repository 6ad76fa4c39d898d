"""What the trainer reports while it runs. Imports transformers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.errors import TrainingDivergedError
from training.runs.events import Event, MeasuringEvent, MetricsEvent, ReferenceEvent

_SHOWN = (
    "loss",
    "entropy",
    "rewards/chosen",
    "rewards/rejected",
    "rewards/margins",
    "rewards/accuracies",
    "logps/chosen",
    "logps/rejected",
    "learning_rate",
    "grad_norm",
)
_HELD_OUT = "eval_"

_EVERY_S = 2.0
"""Between two reports of how far the reference or a measurement is."""


class _Pace:
    """How fast something goes that has an end."""

    def __init__(self, done: int) -> None:
        self._begun = time.monotonic()
        self._before = done
        self.told = self._begun

    def is_due(self) -> bool:
        """Whether the last report was long enough ago; if so, this is one."""
        if time.monotonic() - self.told < _EVERY_S:
            return False
        self.told = time.monotonic()
        return True

    def left(self, done: int, total: int) -> float | None:
        """The seconds that the rest takes; None before anything is done."""
        if done <= self._before:
            return None
        return (time.monotonic() - self._begun) / (done - self._before) * max(total - done, 0)


class ProgressCallback(TrainerCallback):  # type: ignore[misc]  # mypy does not read transformers
    """Turns the trainer's logs into events.

    `train` and `held_out` keep the last numbers of each part, `first` those of the first step, and
    `held_out_step` says after which step the held-out rows were measured last. `curves` has the points
    of every series, the held-out ones under `held_out/`, as (step, value). `tokens_per_s` is the rate
    over all steps of this process.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._reference: _Pace | None = None
        self._measuring: _Pace | None = None
        self._batches = 0
        self._started = 0.0
        self._begun = 0
        self.tokens_per_s = 0.0
        self.first: dict[str, float] = {}
        self.train: dict[str, float] = {}
        self.held_out: dict[str, float] = {}
        self.held_out_step: int | None = None
        self.curves: dict[str, list[tuple[int, float]]] = {}

    def on_reference(self, asked: int, pairs: int) -> None:
        """Report now and then that so many pairs' reference log-probabilities are computed."""
        begins = self._reference is None
        pace = self._reference = self._reference or _Pace(asked)
        if begins or asked >= pairs or pace.is_due():
            left = pace.left(asked, pairs)
            self._emit(ReferenceEvent(pairs_done=min(asked, pairs), pairs=pairs, eta_s=left))

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Report now and then how far a measurement on the held-out rows is."""
        loader = kwargs["eval_dataloader"]
        self._measuring = self._measuring or _Pace(0)
        self._batches += 1
        if self._measuring.is_due():
            batches, rows = len(loader), len(loader.dataset)
            left = self._measuring.left(self._batches, batches)
            self._emit(MeasuringEvent(rows_done=rows * self._batches // batches, rows=rows, eta_s=left))

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A measurement is over."""
        self._measuring, self._batches = None, 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take note of where the run begins: not at 0 where it goes on from a checkpoint."""
        self._started, self._begun = 0.0, state.global_step

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock with the first step: what is measured before it would count as slow steps."""
        self._started = self._started or time.monotonic()

    def restore(self, events: Iterable[Event]) -> None:
        """Take over the numbers of the steps before the checkpoint that the run goes on from."""
        for event in events:
            if isinstance(event, MetricsEvent) and event.split == "train":
                self.train = event.values
                self.first = self.first or event.values
                self._keep("", event.values, event.step)
            elif isinstance(event, MetricsEvent):
                self.held_out, self.held_out_step = event.values, event.step
                self._keep("held_out/", event.values, event.step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Report one step, or the held-out part; raises TrainingDivergedError."""
        logs: Mapping[str, float] = kwargs["logs"]
        if "loss" in logs:
            if not math.isfinite(logs["loss"]) or not math.isfinite(logs.get("grad_norm", 0.0)):
                raise TrainingDivergedError(step=state.global_step, learning_rate=args.learning_rate)
            self.train = _shown(logs, prefix="")
            self.first = self.first or self.train
            self._keep("", self.train, state.global_step)
            elapsed = time.monotonic() - self._started
            self.tokens_per_s = logs.get("num_tokens", 0.0) / elapsed
            done = state.global_step - self._begun
            self._emit(
                MetricsEvent(
                    step=state.global_step,
                    steps=state.max_steps,
                    values=self.train,
                    tokens_per_s=self.tokens_per_s,
                    eta_s=elapsed / done * (state.max_steps - state.global_step),
                )
            )
        elif f"{_HELD_OUT}loss" in logs:
            self.held_out = _shown(logs, prefix=_HELD_OUT)
            self.held_out_step = state.global_step
            self._keep("held_out/", self.held_out, state.global_step)
            self._emit(
                MetricsEvent(
                    split="held-out", step=state.global_step, steps=state.max_steps, values=self.held_out
                )
            )

    def _keep(self, prefix: str, values: Mapping[str, float], step: int) -> None:
        for key, value in values.items():
            self.curves.setdefault(prefix + key, []).append((step, value))


def _shown(logs: Mapping[str, float], prefix: str) -> dict[str, float]:
    """The numbers that are shown; what is not finite (a gradient's norm, say) is left out."""
    values = {key: float(logs[prefix + key]) for key in _SHOWN if prefix + key in logs}
    return {key: value for key, value in values.items() if math.isfinite(value)}
