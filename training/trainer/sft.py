"""SFT on prepared rows: TRL's SFTTrainer, with the loss on the answers' tokens only.

Rows go in as plain text. TRL 1.16 adds the end token to an answer that lacks it, tokenises prompt and
prompt + answer with the tokenizer's own begin token, and takes the answer to begin where the two
differ. Imports torch and TRL.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from trl import SFTConfig as TrlConfig
from trl import SFTTrainer

from training.config import SftConfig
from training.data.instructions import TextRow
from training.data.splits import Prepared
from training.trainer.arguments import common_arguments, takes_fast_path, trackers
from training.trainer.base_weights import load_tokenizer
from training.trainer.fast_path import FastSftTrainer
from training.trainer.model import load_trainable, new_adapter
from training.trainer.progress import ProgressCallback
from training.trainer.ranks import shared_dataset


def build_sft_trainer(
    config: SftConfig,
    rows: Prepared[TextRow],
    *,
    base: Path,
    parent: Path | None,
    checkpoints: Path,
    progress: ProgressCallback,
) -> SFTTrainer:
    """TRL's trainer as `config` wants it, ready to train. `parent` is the PEFT folder to go on from."""
    on_gpu = torch.cuda.is_available()
    fast = takes_fast_path(config)
    packing = on_gpu if config.packing == "auto" else config.packing == "on"
    arguments = TrlConfig(
        **common_arguments(config, len(rows.train), len(rows.held_out), checkpoints),
        completion_only_loss=True,
        # Packed rows are told apart by their positions. With flash attention that costs nothing; on a
        # CPU a long row's attention costs more than the padding that groups of one length leave.
        packing=packing,
        eval_packing=False,
        eval_on_start=bool(rows.held_out),
    )
    return (FastSftTrainer if fast else SFTTrainer)(
        model=load_trainable(config, base, parent),
        args=arguments,
        train_dataset=shared_dataset(_rows(rows.train), checkpoints / "rows" / "train"),
        eval_dataset=shared_dataset(_rows(rows.held_out), checkpoints / "rows" / "held-out")
        if rows.held_out
        else None,
        processing_class=load_tokenizer(base),
        peft_config=new_adapter(config, parent),
        callbacks=[progress, *trackers(config, checkpoints)],
    )


def _rows(rows: Sequence[TextRow]) -> list[dict[str, Any]]:
    return [{"prompt": row.prompt, "completion": row.answer} for row in rows]
