"""DPO's reference asked once a pair, before the first step: in order of length, and heard of while it lasts.

Imports torch and TRL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from accelerate import PartialState
from trl import DPOTrainer

Told = Callable[[int], None]
"""Called with the number of pairs whose reference has been asked so far."""


class ReferenceFirstTrainer(DPOTrainer):  # type: ignore[misc]  # mypy does not read TRL
    """DPOTrainer; `told` hears of the pairs while their reference log-probabilities are computed."""

    def __init__(self, *, told: Told, **arguments: Any) -> None:
        self._told: Told | None = None
        self._tell = told
        self._asked = 0
        super().__init__(**arguments)  # computes them before it ends

    def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
        self._told = self._tell
        try:
            if PartialState().num_processes > 1:
                return super()._precompute_ref_logps(dataset, name, batch_size)
            # Rows of about the same length leave little padding.
            order = np.argsort(pair_lengths(dataset), kind="stable")
            by_length = dataset.select(order).flatten_indices()
            return super()._precompute_ref_logps(by_length, name, batch_size).select(np.argsort(order))
        finally:
            self._told = None

    def compute_ref_log_probs(self, model: Any, inputs: Any) -> Any:
        """As TRL does."""
        found = super().compute_ref_log_probs(model, inputs)
        if self._told:
            self._asked += len(inputs["input_ids"]) // 2 * PartialState().num_processes
            self._told(self._asked)
        return found


def pair_lengths(dataset: Any) -> list[int]:
    """The tokens of each pair's prompt and two answers."""
    columns = (dataset["prompt_ids"], dataset["chosen_ids"], dataset["rejected_ids"])
    return [sum(map(len, row)) for row in zip(*columns, strict=True)]
