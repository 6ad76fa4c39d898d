"""QLoRA and full training, on real weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bitsandbytes as bnb
import llama_cpp
import pytest
import torch

from recsys.llm.adapters import AdapterCard
from recsys.settings import Paths
from tests.training.support import MODEL, command_line, make_instruction, make_row, write_rows
from training.adapters.gguf_lora import write_gguf_lora
from training.config import SftConfig, TrainingConfig
from training.data.instructions import TextRow
from training.data.splits import Prepared
from training.methods import build_trainer
from training.trainer.progress import ProgressCallback
from training.trainer.result import train

pytestmark = [pytest.mark.slow, pytest.mark.model]

ROWS = tuple(TextRow(f"Request {n}: a quiet book?\n", f"A novel about the sea, {n}.") for n in range(4))


def use_the_rounded_weights(model: torch.nn.Module) -> None:
    """Each dense weight as NF4 leaves it."""
    for name, module in model.named_modules():
        if name.endswith("base_layer"):
            packed, state = bnb.functional.quantize_4bit(
                module.weight.data, quant_type="nf4", compress_statistics=True
            )
            module.weight.data = bnb.functional.dequantize_4bit(packed, state)


def built(config: TrainingConfig, rows: Any, base: Path, folder: Path, progress: ProgressCallback) -> Any:
    return build_trainer(
        config, Prepared(rows, rows[:1], {}, 0), base=base, parent=None, checkpoints=folder, progress=progress
    )


def test_an_adapter_learns_over_a_base_in_four_bits(
    base_folder: Path, base_gguf: Path, tmp_path: Path
) -> None:
    config = SftConfig(method="qlora", batch_size=4, max_steps=3, learning_rate=1e-3)
    progress = ProgressCallback(lambda event: None)
    trainer = built(config, ROWS, base_folder, tmp_path / "checkpoints", progress)
    linears = [m for m in trainer.model.modules() if isinstance(m, bnb.nn.Linear4bit)]
    assert len(linears) == 30 * 7
    assert all(m.weight.quant_type == "nf4" and m.weight.quant_state.nested for m in linears)
    before = linears[0].weight.clone()
    result = train(trainer, progress, held_out=1, output=tmp_path / "peft", discard_wanted=lambda: False)
    assert result.metrics["loss"] < result.metrics["first/loss"]
    assert torch.equal(linears[0].weight, before)
    write_gguf_lora(tmp_path / "peft", base_gguf, tmp_path / "adapter.gguf")


def test_gradients_in_four_bits_are_those_of_the_dense_base_also_after_an_evaluation(
    base_folder: Path, tmp_path: Path
) -> None:
    """bitsandbytes changes the weights' layout at an evaluation, and then no gradient passes."""
    found = []
    for method in ("qlora", "lora"):
        progress = ProgressCallback(lambda event: None)
        config = SftConfig(method=method, dtype="fp32")
        trainer = built(config, ROWS[:2], base_folder, tmp_path, progress)
        trainer.evaluate()
        if method == "lora":
            use_the_rounded_weights(trainer.model)
        weights = {name: w for name, w in trainer.model.named_parameters() if w.requires_grad}
        for weight in weights.values():
            weight.data = weight.data.float()  # TRL keeps QLoRA's adapter in bf16
        trainer.model.train()
        trainer.compute_loss(trainer.model, trainer.data_collator(list(trainer.train_dataset))).backward()
        found.append({name: weight.grad for name, weight in weights.items()})
    gradients, wanted = found
    assert gradients.keys() == wanted.keys()
    for name in (name for name in wanted if "q_proj.lora_B" in name):
        assert float((gradients[name] - wanted[name]).norm() / wanted[name].norm()) < 0.05, name


def test_full_training_leaves_a_model_that_llama_cpp_serves(
    home: Path, base_folder: Path, tmp_path: Path
) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", [make_instruction(number) for number in range(4)])
    sizes = ["--method", "full", "--learning-rate", "1e-4", "--max-steps", "2", "--batch-size", "2"]
    done = command_line(
        "sft", "--data", str(rows), "--model", MODEL, "--name", "whole", "--no-samples", *sizes, home=home
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folder = Paths(home).models / "whole"
    card = AdapterCard.model_validate_json((folder / "card.json").read_bytes())
    assert card.metrics["loss"] < card.metrics["first/loss"]
    assert card.agreement is not None
    assert card.agreement.mean_difference < 0.005
    model = llama_cpp.Llama(str(folder / "model.gguf"), n_ctx=128, verbose=False)
    try:
        answer = model.create_chat_completion([make_row()["prompt"][1]], max_tokens=8, temperature=0)
    finally:
        model.close()
    assert answer["choices"][0]["message"]["content"].strip()


def test_an_unknown_method_is_refused() -> None:
    from training.config import parse_config
    from training.errors import TrainingConfigError

    with pytest.raises(TrainingConfigError, match="method"):
        parse_config({"method": "full"}, "dpo")
    with pytest.raises(TrainingConfigError, match="full training starts from the base"):
        parse_config({"method": "full", "parent": "a"}, "sft")


def test_trls_logs_also_go_to_tensorboard(base_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is among the test tools")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    progress = ProgressCallback(lambda event: None)
    config = SftConfig(batch_size=2, max_steps=2, report_to="tensorboard")
    built(config, ROWS, base_folder, tmp_path / "checkpoints", progress).train()
    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    losses = [point.value for point in found.Scalars("train/loss")]
    assert losses == pytest.approx([value for _, value in progress.curves["loss"]])
    assert [point.step for point in found.Scalars("eval/loss")] == [0, 2]
