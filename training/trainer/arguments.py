"""What SFT and DPO tell TRL in the same words. Imports torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import TrainerCallback
from transformers.integrations import TensorBoardCallback

from training.config import TrainingConfig
from training.errors import TrainingConfigError
from training.steps import total_steps
from training.trainer.hardware import training_dtype

_DEEPSPEED = Path(__file__).resolve().parents[2] / "assets" / "deepspeed"


def common_arguments(config: TrainingConfig, rows: int, held_out: int, checkpoints: Path) -> dict[str, Any]:
    """Keyword arguments of TRL's SFTConfig and DPOConfig alike.

    With DeepSpeed they have to be made before the model is loaded, which ZeRO-3 then splits at once.
    """
    on_gpu = torch.cuda.is_available()
    with_deepspeed = config.zero != "off"
    if with_deepspeed and not on_gpu:
        PartialState(backend="gloo")  # accelerate knows no backend of DeepSpeed's on a processor by itself
    during = held_out > 0 and config.eval_steps > 0
    return {
        "output_dir": str(checkpoints),
        "num_train_epochs": config.epochs,
        "max_steps": config.max_steps or -1,
        "learning_rate": config.learning_rate,
        # Rounded down, so that a run of a few steps does not spend its first at a rate of zero.
        "warmup_steps": int(config.warmup * total_steps(config, rows)),
        "per_device_train_batch_size": config.batch_size,
        "per_device_eval_batch_size": even_batch(held_out, config.batch_size, config.processes),
        "gradient_accumulation_steps": config.gradient_accumulation,
        "gradient_checkpointing": _checkpointing(config, on_gpu),
        "eval_strategy": "steps" if during else "no",
        "eval_steps": config.eval_steps or None,
        "max_length": config.max_length,
        "seed": config.seed,
        "bf16": training_dtype(config) == torch.bfloat16,
        "use_cpu": not on_gpu and not with_deepspeed,
        "deepspeed": str(_DEEPSPEED / f"{config.zero}.json") if with_deepspeed else None,
        "accelerator_config": {"use_configured_state": True} if with_deepspeed and not on_gpu else None,
        "dataloader_pin_memory": on_gpu,
        "save_strategy": "steps",
        "save_steps": config.save_steps,
        "save_total_limit": 2,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # otherwise a loss that is not a number is hidden
        "report_to": "none",  # see `trackers`
        "disable_tqdm": True,
    }


def trackers(config: TrainingConfig, checkpoints: Path) -> list[TrainerCallback]:
    """Where TRL's logs also go. TensorBoard's files lie beside the checkpoints, and stay when those go.

    Raises TrainingConfigError where tensorboard is not installed.
    """
    if config.report_to == "none":
        return []
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        problem = "report_to: TensorBoard is not installed (pip install tensorboard)"
        raise TrainingConfigError(problems=problem) from error
    return [TensorBoardCallback(SummaryWriter(log_dir=str(checkpoints.parent / "tensorboard")))]


def even_batch(rows: int, at_most: int, processes: int = 1) -> int:
    """The largest batch of a process that divides `rows`: TRL takes means over batches, so equal ones are
    exact."""
    sizes = range(1, at_most + 1)
    return max((size for size in sizes if rows and rows % (size * processes) == 0), default=1)


def takes_fast_path(config: TrainingConfig) -> bool:
    """Whether the trainers of `training.trainer.fast_path` do the work: on a processor, in one process.

    ZeRO-3 splits the head's matrix, which they read; several processes on one processor are slow anyway.
    """
    alone = config.processes == 1 and config.zero == "off"
    return config.fast_path and alone and not torch.cuda.is_available()


def _checkpointing(config: TrainingConfig, on_gpu: bool) -> bool:
    return on_gpu if config.gradient_checkpointing == "auto" else config.gradient_checkpointing == "on"
