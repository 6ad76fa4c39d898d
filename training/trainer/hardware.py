"""Which number format this machine is fast at. Imports torch."""

from __future__ import annotations

from pathlib import Path

import torch

from training.config import TrainingConfig
from training.machine.processor import is_fast_at_bf16


def training_dtype(config: TrainingConfig) -> torch.dtype:
    """The format of weights and matrix products.

    `auto` is bf16 on a GPU that has it and on processors with instructions for it (6 to 7 times
    fp32's speed with AMX); elsewhere bf16 is emulated and slower than fp32. DeepSpeed on a processor
    computes in fp32: transformers allows it bf16 on a GPU only.
    """
    if config.zero != "off" and not torch.cuda.is_available():
        return torch.float32
    if config.dtype == "auto":
        return torch.bfloat16 if _has_fast_bf16() else torch.float32
    return torch.bfloat16 if config.dtype == "bf16" else torch.float32


def _has_fast_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return is_fast_at_bf16(cpuinfo)
