from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
from safetensors.numpy import load_file
from torch.utils.data import DataLoader

from recsys.llm.registry import prompt_format
from tests.training.support import MODEL, FinishedRun, llama_cpp_tokens, make_row
from training.config import DpoConfig
from training.data.pairs import TextPair, parse_pairs, render_pair
from training.data.splits import Prepared
from training.errors import TrainingDivergedError
from training.methods import build_trainer
from training.runs.events import DataEvent, Event, MeasuringEvent, MetricsEvent, ReferenceEvent
from training.trainer.progress import ProgressCallback

pytestmark = [pytest.mark.slow, pytest.mark.model]


def prepared(gguf: Path) -> Prepared[TextPair]:
    rows = parse_pairs(make_row(number) for number in range(3))
    texts = tuple(render_pair(row, prompt_format(gguf, "chat")) for row in rows)
    return Prepared(texts, (), {}, 0)


def test_training_reads_the_tokens_that_serving_reads(
    base_gguf: Path, base_folder: Path, tmp_path: Path
) -> None:
    """And each answer ends with one end token."""
    pairs = prepared(base_gguf)
    trainer = build_trainer(
        DpoConfig(model=MODEL, batch_size=2, dtype="fp32"),
        pairs,
        base=base_folder,
        parent=None,
        checkpoints=tmp_path,
        progress=ProgressCallback(lambda event: None),
    )
    rows = list(trainer.train_dataset)
    end = trainer.processing_class.eos_token_id
    assert [row["prompt_ids"] for row in rows] == llama_cpp_tokens(base_gguf, [p.prompt for p in pairs.train])
    for row, pair in zip(rows, pairs.train, strict=True):
        for ids, text in ((row["chosen_ids"], pair.chosen), (row["rejected_ids"], pair.rejected)):
            assert (ids[-1], ids.count(end)) == (end, 1)
            assert [*row["prompt_ids"], *ids[:-1]] == llama_cpp_tokens(base_gguf, [pair.prompt + text])[0]


def test_a_run_starts_at_the_reference_and_learns(finished: FinishedRun) -> None:
    steps = [e for e in finished.store.metrics(finished.status.run_id) if e.split == "train"]
    assert [(event.step, event.steps) for event in steps] == [(n, 4) for n in (1, 2, 3, 4)]
    assert steps[0].values["rewards/margins"] == pytest.approx(0, abs=0.01)  # precomputed in other batches
    assert steps[0].values["loss"] == pytest.approx(math.log(2), abs=0.005)
    assert steps[-1].values["loss"] < steps[0].values["loss"]
    assert steps[-1].eta_s == 0


def test_a_run_changes_the_weights(finished: FinishedRun) -> None:
    tensors = load_file(finished.adapter.folder / "adapter_model.safetensors")
    assert all(value.any() for key, value in tensors.items() if "lora_B" in key)


def test_the_card_tells_where_the_adapter_comes_from(finished: FinishedRun) -> None:
    card = finished.adapter.card
    assert (card.base_model, card.style, card.run_id) == (MODEL, "chat", finished.status.run_id)
    assert (card.rows, card.config["max_steps"]) == (6, 4)
    assert 0 <= card.metrics["held_out/accuracy_low"] <= card.metrics["held_out/rewards/accuracies"]
    assert card.metrics["held_out/rewards/accuracies"] <= card.metrics["held_out/accuracy_high"] <= 1
    assert (card.held_out, card.dropped, card.truncated) == (2, {}, 0)
    assert [step for step, _ in card.curves["loss"]] == [1, 2, 3, 4]
    assert card.agreement is not None
    assert card.agreement.mean_difference < 0.02
    assert not list(finished.adapter.folder.glob("*.bin"))


def test_a_run_says_what_became_of_its_pairs_and_measures_the_held_out(finished: FinishedRun) -> None:
    events, _ = finished.store.events(finished.status.run_id)
    (data,) = [event for event in events if isinstance(event, DataEvent)]
    assert (data.train, data.held_out, data.dropped) == (6, 2, {})
    assert [e.split for e in events if isinstance(e, MetricsEvent)] == ["train"] * 4 + ["held-out"]


def test_a_run_says_how_far_the_reference_is(finished: FinishedRun) -> None:
    events, _ = finished.store.events(finished.status.run_id)
    asked = [place for place, event in enumerate(events) if isinstance(event, ReferenceEvent)]
    steps = [place for place, event in enumerate(events) if isinstance(event, MetricsEvent)]
    last = events[asked[-1]]
    assert isinstance(last, ReferenceEvent)
    assert last.pairs_done == last.pairs == 8
    assert asked[-1] < steps[0]


def test_the_reference_is_heard_of_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Event] = []
    progress = ProgressCallback(told.append)
    for second, asked in ((100.0, 4), (101.0, 8), (103.0, 16), (103.5, 20), (104.0, 42)):
        monkeypatch.setattr("training.trainer.progress.time.monotonic", lambda now=second: now)
        progress.on_reference(asked, 40)
    assert [(e.pairs_done, e.eta_s) for e in told if isinstance(e, ReferenceEvent)] == [
        (4, None),
        (16, pytest.approx(3 / 12 * 24)),
        (40, 0),
    ]


def test_a_long_measurement_is_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Event] = []
    progress = ProgressCallback(told.append)
    loader = DataLoader(range(40), batch_size=4)  # type: ignore[arg-type, var-annotated]
    for _ in range(2):
        for second in (100.0, 101.0, 103.0, 104.0, 105.5):
            monkeypatch.setattr("training.trainer.progress.time.monotonic", lambda now=second: now)
            progress.on_prediction_step(None, None, None, eval_dataloader=loader)  # type: ignore[arg-type]
        progress.on_evaluate(None, None, None)  # type: ignore[arg-type]
    found = [(e.rows_done, e.eta_s) for e in told if isinstance(e, MeasuringEvent)]
    assert found == 2 * [(12, pytest.approx(3 / 3 * 7)), (20, pytest.approx(5.5 / 5 * 5))]


def test_a_loss_that_is_no_number_ends_the_run() -> None:
    progress = ProgressCallback(lambda event: None)
    arguments, state = SimpleNamespace(learning_rate=0.1), SimpleNamespace(global_step=7, max_steps=9)
    with pytest.raises(TrainingDivergedError, match=r"At step 7 .* Lower the learning rate"):
        progress.on_log(arguments, state, None, logs={"loss": float("nan")})


@pytest.mark.parametrize(
    ("pairs", "changes", "steps"),
    [(8, {}, 6), (9, {}, 9), (9, {"gradient_accumulation": 2}, 6), (9, {"max_steps": 4}, 4)],
)
def test_total_steps(pairs: int, changes: dict[str, int], steps: int) -> None:
    from training.steps import total_steps

    assert total_steps(DpoConfig(epochs=3, batch_size=4, **changes), pairs) == steps


def test_auto_takes_bf16_only_where_it_is_fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from training.trainer import hardware

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for flags, fast in (("avx2 fma", False), ("avx512f amx_bf16", True), ("avx2 avx512_bf16", True)):
        (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
        assert hardware._has_fast_bf16(tmp_path / "cpuinfo") is fast
    assert not hardware._has_fast_bf16(tmp_path / "missing")
