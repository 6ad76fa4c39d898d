"""DPO on prepared pairs: TRL's DPOTrainer.

Direct Preference Optimization: Rafailov et al., https://arxiv.org/abs/2305.18290. The reference is what
the model was when the run began: the base with the adapter switched off, or, where the run goes on from
an adapter, the frozen copy of that adapter that TRL keeps under the name `ref`.

Rows go in as plain text. TRL 1.16 adds the end token to each answer that lacks it, tokenises the
prompt and prompt + answer with the tokenizer's own begin token, and takes the answer to begin
where the two differ. Imports torch and TRL.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trl import DPOConfig as TrlConfig
from trl import DPOTrainer

from training.config import DpoConfig
from training.data.pairs import TextPair
from training.data.splits import Prepared
from training.steps import precomputes
from training.trainer.arguments import common_arguments, even_batch, takes_fast_path, trackers
from training.trainer.base_weights import load_tokenizer
from training.trainer.fast_path import FastDpoTrainer
from training.trainer.model import load_trainable, new_adapter
from training.trainer.progress import ProgressCallback
from training.trainer.ranks import shared_dataset
from training.trainer.reference import ReferenceFirstTrainer


def build_dpo_trainer(
    config: DpoConfig,
    pairs: Prepared[TextPair],
    *,
    base: Path,
    parent: Path | None,
    checkpoints: Path,
    progress: ProgressCallback,
) -> DPOTrainer:
    """TRL's trainer as `config` wants it, ready to train. `parent` is the PEFT folder to go on from."""
    fast = takes_fast_path(config)
    train, held_out = len(pairs.train), len(pairs.held_out)
    arguments = TrlConfig(
        **common_arguments(config, train, held_out, checkpoints),
        **loss_arguments(config),
        beta=config.beta,
        disable_dropout=config.lora_dropout == 0,  # it would switch off the adapter's dropout too
        precompute_ref_log_probs=precomputes(config, train, held_out),
        precompute_ref_batch_size=even_batch(train, config.batch_size, config.processes),
    )
    return (FastDpoTrainer if fast else ReferenceFirstTrainer)(
        told=lambda asked: progress.on_reference(asked, train + held_out),
        model=load_trainable(config, base, parent),
        args=arguments,
        train_dataset=shared_dataset(_rows(pairs.train), checkpoints / "rows" / "train"),
        eval_dataset=shared_dataset(_rows(pairs.held_out), checkpoints / "rows" / "held-out")
        if pairs.held_out
        else None,
        processing_class=load_tokenizer(base),
        peft_config=new_adapter(config, parent),
        callbacks=[progress, *trackers(config, checkpoints)],
    )


def loss_arguments(config: DpoConfig) -> dict[str, Any]:
    """TRL's names of a loss. Sources: robust, https://arxiv.org/abs/2403.00409; ipo,
    https://arxiv.org/abs/2310.12036; the SFT term, https://arxiv.org/abs/2404.19733; sigmoid_norm divides
    each log-ratio by its answer's length, https://arxiv.org/abs/2411.15124."""
    if config.loss == "sigmoid+sft":
        return {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, config.sft_weight]}
    smoothing = config.label_smoothing if config.loss == "robust" else 0.0
    return {"loss_type": [config.loss], "label_smoothing": smoothing}


def _rows(pairs: Sequence[TextPair]) -> list[dict[str, Any]]:
    columns = ("prompt", "chosen", "rejected")
    return [{c: getattr(pair, c) for c in columns} for pair in pairs]
