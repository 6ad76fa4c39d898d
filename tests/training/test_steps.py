from __future__ import annotations

from training.config import DpoConfig, SftConfig
from training.steps import measurements, precomputes, total_steps


def test_steps_count_batches_of_all_processes() -> None:
    config = SftConfig(model="m", batch_size=4, gradient_accumulation=2, epochs=3, processes=2)
    assert total_steps(config, 100) == 3 * 7  # 13 batches of two processes
    assert total_steps(config.model_copy(update={"max_steps": 5}), 100) == 5


def test_measurements_are_before_between_and_after() -> None:
    sft = SftConfig(model="m", batch_size=4, epochs=1, eval_steps=10)
    assert measurements(sft, 100) == 2 + 2
    assert measurements(sft.model_copy(update={"eval_steps": 0}), 100) == 2
    assert measurements(DpoConfig(model="m", batch_size=4, epochs=1, eval_steps=0), 100) == 1


def test_the_reference_is_asked_first_where_that_is_less_work() -> None:
    once = DpoConfig(model="m", batch_size=4, epochs=1, eval_steps=0)
    assert not precomputes(once, 100, 10)
    assert precomputes(once.model_copy(update={"epochs": 2}), 100, 10)
    assert precomputes(once.model_copy(update={"eval_steps": 5}), 100, 10)
    assert precomputes(once.model_copy(update={"precompute_reference": "on"}), 100, 10)
