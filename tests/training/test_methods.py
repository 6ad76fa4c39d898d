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
from training.config import DpoConfig, SftConfig, TrainingConfig
from training.gguf_lora import write_gguf_lora
from training.instruction_data import TextRow
from training.methods import build_trainer
from training.pairs_data import TextPair
from training.progress import ProgressCallback
from training.result import train
from training.splits import Prepared

pytestmark = [pytest.mark.slow, pytest.mark.model]

ROWS = tuple(TextRow(f"Request {n}: a quiet book?\n", f"A novel about the sea, {n}.") for n in range(4))
PAIRS = tuple(TextPair(row.prompt, row.answer, "Films films films") for row in ROWS)


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
    progress = ProgressCallback(lambda event: None, lambda: False)
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
    """bitsandbytes changes the weights' layout at an evaluation, in which gradients do not pass."""
    gradients = []
    for config in (DpoConfig(method="qlora", dtype="fp32"), DpoConfig(dtype="fp32")):
        progress = ProgressCallback(lambda event: None, lambda: False)
        trainer = built(config, PAIRS[:2], base_folder, tmp_path, progress)
        trainer.evaluate()
        if config.method == "lora":
            use_the_rounded_weights(trainer.model)
        trainer.model.train()
        trainer.compute_loss(trainer.model, trainer.data_collator(list(trainer.train_dataset))).backward()
        first = next(
            w for n, w in trainer.model.named_parameters() if "layers.0.self_attn.q_proj.lora_B" in n
        )
        gradients.append(first.grad.float())
    difference = float((gradients[0] - gradients[1]).norm() / gradients[1].norm())
    assert difference < 0.05


def test_full_training_leaves_a_model_that_llama_cpp_serves(
    home: Path, base_folder: Path, tmp_path: Path
) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", [make_instruction(number) for number in range(4)])
    sizes = ["--method", "full", "--learning-rate", "1e-4", "--max-steps", "2", "--batch-size", "2"]
    done = command_line("sft", "--data", str(rows), "--model", MODEL, "--name", "whole", *sizes, home=home)
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
