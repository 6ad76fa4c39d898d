"""One DPO run on prepared pairs: TRL's DPOTrainer with a PEFT LoRA adapter on all linear layers.

Direct Preference Optimization: Rafailov et al., https://arxiv.org/abs/2305.18290. The reference
model is the base itself with the adapter switched off, so it takes no memory of its own.

Rows go in as plain text. TRL 1.16 adds the end token to each answer that lacks it, tokenises the
prompt and prompt + answer with the tokenizer's own begin token, and takes the answer to begin
where the two differ. Imports torch and TRL.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig
from trl import DPOConfig as TrlConfig
from trl import DPOTrainer
from trl.trainer import utils as trl_utils

from training.base_weights import load_base, load_tokenizer
from training.config import DpoConfig
from training.events import MetricsEvent
from training.hardware import training_dtype
from training.pairs_data import PreparedPairs, TextPair
from training.progress import ProgressCallback


@dataclass(frozen=True)
class DpoResult:
    """How training ended. `metrics` has the last step's numbers and the held-out ones
    under `held_out/`; it holds the latter only when the run was not stopped short of them."""

    steps: int
    metrics: dict[str, float]


def train_dpo(
    config: DpoConfig,
    pairs: PreparedPairs,
    *,
    base: Path,
    checkpoints: Path,
    adapter: Path,
    emit: Callable[[MetricsEvent], None],
    stop_wanted: Callable[[], bool],
    discard_wanted: Callable[[], bool],
) -> DpoResult:
    """Train, save the PEFT adapter to the folder `adapter`, and measure the held-out pairs.

    `base` is a folder from `base_weights`. `stop_wanted` is asked after each step; when
    `discard_wanted` holds then, nothing is saved. Raises TrainingDivergedError.
    """
    progress = ProgressCallback(emit, stop_wanted)
    trainer = build_trainer(config, pairs, base=base, checkpoints=checkpoints, progress=progress)
    with scoring_answers_only():
        trainer.train()
        if not discard_wanted():
            trainer.model.save_pretrained(str(adapter), save_embedding_layers=False)
            if pairs.held_out:
                trainer.evaluate()
    held_out = {f"held_out/{key}": value for key, value in progress.held_out.items()}
    return DpoResult(trainer.state.global_step, {**progress.train, **held_out})


def build_trainer(
    config: DpoConfig,
    pairs: PreparedPairs,
    *,
    base: Path,
    checkpoints: Path,
    progress: ProgressCallback,
) -> DPOTrainer:
    """TRL's trainer as `config` wants it, ready to train."""
    dtype = training_dtype(config.dtype)
    lora = LoraConfig(
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return DPOTrainer(
        model=load_base(base, dtype),
        args=_arguments(config, len(pairs.train), dtype, checkpoints),
        train_dataset=_dataset(pairs.train),
        eval_dataset=_dataset(pairs.held_out) if pairs.held_out else None,
        processing_class=load_tokenizer(base),
        peft_config=lora,
        callbacks=[progress],
    )


@contextmanager
def scoring_answers_only() -> Iterator[None]:
    """Let TRL compute logits only where a token of an answer follows, also without a GPU.

    TRL 1.16 does so on GPUs; elsewhere it scores the prompt too and throws that away, for the sake
    of devices that compile a program for each shape. With two worked examples in the prompt that
    is most of the work: on two AVX2 cores a gemma-3-270m step takes 18 s of processor time instead
    of 57 s, a SmolLM2 step 9 s instead of 13 s, with the same loss and gradient. There is no
    option for it, so the module's private test for a GPU is answered with yes; the log-probability
    kernel has a test of its own and is not affected.
    """
    original = trl_utils._use_triton
    trl_utils._use_triton = lambda device: True
    try:
        yield
    finally:
        trl_utils._use_triton = original


def total_steps(config: DpoConfig, pairs: int) -> int:
    """How many optimizer steps `config` takes over `pairs` training pairs."""
    batches = math.ceil(pairs / config.batch_size)
    steps = config.epochs * math.ceil(batches / config.gradient_accumulation)
    return min(steps, config.max_steps or steps)


def _arguments(config: DpoConfig, pairs: int, dtype: torch.dtype, checkpoints: Path) -> TrlConfig:
    on_gpu = torch.cuda.is_available()
    return TrlConfig(
        output_dir=str(checkpoints),
        num_train_epochs=config.epochs,
        max_steps=config.max_steps or -1,
        learning_rate=config.learning_rate,
        # Rounded down, so that a run of a few steps does not spend its first at a rate of zero.
        warmup_steps=int(config.warmup * total_steps(config, pairs)),
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=1,  # means are taken over batches, so equal ones are exact
        gradient_accumulation_steps=config.gradient_accumulation,
        gradient_checkpointing=False,
        beta=config.beta,
        max_length=config.max_length,
        disable_dropout=config.lora_dropout == 0,  # it would switch off the adapter's dropout too
        seed=config.seed,
        bf16=dtype == torch.bfloat16,
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        save_strategy="steps",
        save_steps=config.save_steps,
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,  # otherwise a loss that is not a number is hidden
        report_to="none",
        disable_tqdm=True,
    )


def _dataset(pairs: Sequence[TextPair]) -> Dataset:
    columns = ("prompt", "chosen", "rejected")
    return Dataset.from_list([{c: getattr(pair, c) for c in columns} for pair in pairs])
