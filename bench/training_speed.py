"""Tokens per second of SFT and DPO through the product against a bare TRL script, in the same process.

    python -m bench training-speed

Both train the same LoRA adapter over the same weights on the same rows in batches of the same size,
in the number format that the product takes on this machine; a last line has the other one.
The bare script is what TRL's documentation shows: everything else has TRL's default, gradient checkpointing
among it; `checkpointing off` is the same without it, which is what the product uses on a CPU. `fast path off`
is the product's own trainer without its fast path. Tokens are those of TRL's rows (prompt and answer, for DPO
twice), so a prompt that is evaluated once counts as often as TRL evaluates it. The first step warms up.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from datasets import Dataset
from transformers import TrainerCallback
from trl import DPOConfig as TrlDpoConfig
from trl import DPOTrainer, SFTTrainer
from trl import SFTConfig as TrlSftConfig

from recsys.llm.model_files import model_file
from recsys.llm.registry import known_models, load_spec, prompt_format
from recsys.prompts.formats import Style
from recsys.settings import Settings
from training.config import DpoConfig, Kind, SftConfig, TrainingConfig
from training.data.instructions import parse_instructions, render_row
from training.data.pairs import TextPair
from training.data.splits import Prepared
from training.methods import build_trainer
from training.trainer.base_weights import base_weights, load_base, load_tokenizer
from training.trainer.hardware import training_dtype
from training.trainer.model import new_adapter
from training.trainer.progress import ProgressCallback

_BATCH, _STEPS = 4, 4
_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
_WORDS = (
    "a quiet slow story about the sea memory war space science detective family island winter city love "
    "ghost road train letter garden machine dream king thief river music painter storm silence"
)


class _Clock(TrainerCallback):  # type: ignore[misc]
    """When each step ended, and how many tokens had been seen by then."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.tokens: list[float] = []
        self.losses: list[float] = []

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        logs = kwargs["logs"]
        if "loss" in logs:
            self.ends.append(time.perf_counter())
            self.tokens.append(logs["num_tokens"])
            self.losses.append(logs["loss"])

    @property
    def tokens_per_s(self) -> float:
        """The median over the steps after the first one."""
        steps = zip(self.tokens, self.tokens[1:], self.ends, self.ends[1:], strict=False)
        return statistics.median((b - a) / (end - start) for a, b, start, end in steps)


@dataclass(frozen=True)
class _Case:
    """One model and method: rows as the product renders them."""

    kind: Kind
    base: Path
    rows: tuple[Any, ...]

    def config(self, **changes: Any) -> TrainingConfig:
        kind = SftConfig if self.kind == "sft" else DpoConfig
        return kind.model_validate(
            {"batch_size": _BATCH, "epochs": 1, "save_steps": 1000, "warmup": 0} | changes
        )


def run() -> None:
    """Print tokens/s of each way and the ratios, for each embedded model, and what is left of the machine."""
    rates = {name: _matrix_rate(dtype) for name, dtype in _DTYPES.items()}
    print(
        f"matrix products: bf16 {rates['bf16'] / 1e9:.0f}, fp32 {rates['fp32'] / 1e9:.0f} GFLOP/s;"
        f" batches of {_BATCH} rows; in {_here()}"
    )
    models = Settings().paths.models
    for name in known_models():
        spec = load_spec(name)
        gguf = model_file(spec, models)
        base = base_weights(gguf, models)
        style: Style = "plain" if spec.style == "few-shot" else "chat"
        rows = tuple(
            render_row(row, prompt_format(gguf, style)) for row in parse_instructions(_instructions())
        )
        pairs = tuple(TextPair(a.prompt, a.answer, b.answer) for a, b in zip(rows, rows[::-1], strict=True))
        for case in (_Case("sft", base, rows), _Case("dpo", base, pairs)):
            print(f"{name}, {case.kind}")
            _report(case, rates[_here()])


def _report(case: _Case, rate: float) -> None:
    bare = _measure(lambda folder: _bare(case, folder))
    eager = _measure(lambda folder: _bare(case, folder, gradient_checkpointing=False))
    off = _measure(lambda folder: _product(case, folder, fast_path=False, precompute_reference="off"))
    fast = _measure(lambda folder: _product(case, folder))
    print(f"  bare TRL script        {bare.tokens_per_s:6.0f} tokens/s")
    print(f"    checkpointing off    {eager.tokens_per_s:6.0f} tokens/s")
    same = off.tokens_per_s / eager.tokens_per_s
    print(f"  product, fast path off {off.tokens_per_s:6.0f} tokens/s, {same:.2f} of the line above")
    times, over = (fast.tokens_per_s / other.tokens_per_s for other in (bare, eager))
    losses = [statistics.mean(clock.losses) for clock in (fast, bare)]
    print(f"  product                {fast.tokens_per_s:6.0f} tokens/s, {times:.1f} times the bare script")
    print(f"    {over:.1f} times it without checkpointing; mean loss {losses[0]:.3f} against {losses[1]:.3f}")
    other = next(name for name in _DTYPES if name != _here())
    in_other = _measure(lambda folder: _product(case, folder, dtype=other))
    print(f"    in {other}              {in_other.tokens_per_s:6.0f} tokens/s")
    if case.kind == "sft":
        share = _flops_per_token(case) * fast.tokens_per_s / rate
        print(f"    {share:.0%} of the machine's {_here()} matrix rate")


def _measure(build: Callable[[Path], Any]) -> _Clock:
    clock = _Clock()
    with TemporaryDirectory() as folder:
        trainer = build(Path(folder))
        trainer.add_callback(clock)
        trainer.train()
    del trainer
    gc.collect()
    return clock


def _product(case: _Case, folder: Path, **changes: Any) -> Any:
    if case.kind == "sft":
        changes.pop("precompute_reference", None)
    return build_trainer(
        case.config(**changes),
        Prepared(case.rows, (), {}, 0),
        base=case.base,
        parent=None,
        checkpoints=folder,
        progress=ProgressCallback(lambda event: None),
    )


def _bare(case: _Case, folder: Path, **changes: Any) -> Any:
    config = case.config()
    arguments: dict[str, Any] = {
        "output_dir": str(folder),
        "per_device_train_batch_size": _BATCH,
        "learning_rate": config.learning_rate,
        "max_length": config.max_length,
        "num_train_epochs": 1,
        "bf16": _here() == "bf16",
        "use_cpu": not torch.cuda.is_available(),
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        **changes,
    }
    shared: dict[str, Any] = {
        "model": load_base(case.base, _DTYPES[_here()]),
        "processing_class": load_tokenizer(case.base),
        "peft_config": new_adapter(config, None),
    }
    if case.kind == "sft":
        rows = [{"prompt": row.prompt, "completion": row.answer} for row in case.rows]
        return SFTTrainer(args=TrlSftConfig(**arguments), train_dataset=Dataset.from_list(rows), **shared)
    pairs = [{"prompt": p.prompt, "chosen": p.chosen, "rejected": p.rejected} for p in case.rows]
    return DPOTrainer(args=TrlDpoConfig(**arguments), train_dataset=Dataset.from_list(pairs), **shared)


def _instructions() -> list[dict[str, str]]:
    """Rows as long as those of the instruction data: a history of titles, an answer of a few lines."""
    numbers = torch.Generator().manual_seed(0)

    def text(low: int, high: int) -> str:
        words = int(torch.randint(low, high, (1,), generator=numbers))
        known = _WORDS.split()
        picked = torch.randint(len(known), (words,), generator=numbers).tolist()
        return " ".join(known[i] for i in picked)

    return [{"prompt": text(60, 240), "completion": text(25, 70) + "."} for _ in range(_BATCH * _STEPS)]


def _flops_per_token(case: _Case) -> float:
    """Of matrix products, forward and backward, of one token of a row: frozen weights need no gradient, so
    twice their forward pass; the head counts at the answers' tokens only."""
    tokenizer, model = load_tokenizer(case.base), load_base(case.base, torch.bfloat16)
    whole = [len(ids) for ids in tokenizer([row.prompt + row.answer for row in case.rows])["input_ids"]]
    prompts = [len(ids) for ids in tokenizer([row.prompt for row in case.rows])["input_ids"]]
    answers = (sum(whole) - sum(prompts)) / sum(whole)
    head = model.get_output_embeddings()
    body = sum(m.weight.numel() for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not head)
    return float(4 * (body + answers * head.weight.numel()))


def _here() -> str:
    """The number format that the product takes on this machine."""
    return "bf16" if training_dtype(SftConfig()) == torch.bfloat16 else "fp32"


def _matrix_rate(dtype: torch.dtype) -> float:
    """Floating-point operations per second of a product of two square matrices, the best of five."""
    size = 2048
    left = torch.randn(size, size, dtype=dtype)
    best = math.inf
    for _ in range(6):
        started = time.perf_counter()
        left @ left
        best = min(best, time.perf_counter() - started)
    return float(2 * size**3 / best)
