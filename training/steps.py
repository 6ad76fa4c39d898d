"""How many steps a run takes, and what it does before the first."""

from __future__ import annotations

import math

from training.config import DpoConfig, SftConfig, TrainingConfig


def total_steps(config: TrainingConfig, rows: int) -> int:
    """How many optimizer steps `config` takes over `rows` training rows."""
    batches = math.ceil(rows / (config.batch_size * config.processes))
    steps = config.epochs * math.ceil(batches / config.gradient_accumulation)
    return min(steps, config.max_steps or steps)


def measurements(config: TrainingConfig, rows: int) -> int:
    """How often the held-out rows are measured: at the end, on the way, and in SFT before the first step."""
    on_the_way = total_steps(config, rows) // config.eval_steps if config.eval_steps else 0
    return 1 + on_the_way + isinstance(config, SftConfig)


def precomputes(config: DpoConfig, train: int, held_out: int) -> bool:
    """Whether the reference is asked once a pair, before training, instead of with each step.

    `auto` does so when it is less work: when the run sees more pairs than there are, over several epochs
    or at several measurements.
    """
    if config.precompute_reference != "auto":
        return config.precompute_reference == "on"
    steps = total_steps(config, train)
    seen = min(steps * config.batch_size * config.gradient_accumulation, config.epochs * train)
    return seen + measurements(config, train) * held_out > train + held_out
