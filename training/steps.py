"""How many steps a run takes."""

from __future__ import annotations

import math

from training.config import TrainingConfig


def total_steps(config: TrainingConfig, rows: int) -> int:
    """How many optimizer steps `config` takes over `rows` training rows."""
    batches = math.ceil(rows / (config.batch_size * config.processes))
    steps = config.epochs * math.ceil(batches / config.gradient_accumulation)
    return min(steps, config.max_steps or steps)
