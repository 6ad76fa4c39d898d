"""How much memory a run takes, foretold from the model's size, and how much is free. Without torch.

Resident bytes at the peak of training on a processor, with P parameters, L layers, width W, vocabulary V,
A trained weights, b bytes a number (bf16 2, fp32 4), and T tokens in a batch of the longest rows (twice
as many for DPO):

    640 MiB + P x (b, or 0.56 in NF4) + 16 A + 35 b T L W + 4 T V

16 bytes a trained weight are its fp32 value, its gradient and Adam's two means; 35 numbers are what a
layer keeps of a token for the backward pass, for each unit of its width; the last term are the logits,
which the fast path does without. `python -m bench training-memory` sets it beside real runs. On a graphics
card, where activations are computed again (gradient checkpointing), 3 take the place of 35; that is not
measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from training.config import TrainingConfig, trains_all
from training.model_size import ModelSize

MIB = 1 << 20
GIB = 1 << 30

_PROCESS = 640 * MIB
_CUDA = 600 * MIB
_ACTIVATIONS = 35
_CHECKPOINTED = 3
_STATE = 16
_NF4 = 0.56
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides how a run computes: a graphics card or not, and products in bf16 or fp32."""

    on_gpu: bool
    bf16: bool


def memory_needed(config: TrainingConfig, size: ModelSize, longest: int, machine: Machine) -> int:
    """Bytes at the peak of training, in the memory that the weights lie in; `longest` in tokens."""
    number = 2 if machine.bf16 else 4
    full = trains_all(config)
    weights = size.parameters * (_NF4 if config.method == "qlora" else number)
    trained = size.parameters if full else adapter_parameters(config, size)
    tokens = config.batch_size * min(longest, config.max_length) * (2 if config.kind == "dpo" else 1)
    checkpointed = config.gradient_checkpointing == "on" or (
        config.gradient_checkpointing == "auto" and machine.on_gpu
    )
    activations = tokens * size.layers * size.width * number
    activations *= _CHECKPOINTED if checkpointed else _ACTIVATIONS
    head = 0 if config.fast_path and not machine.on_gpu else tokens * size.vocabulary * 4
    fixed = _CUDA if machine.on_gpu else _PROCESS
    return int(fixed + weights + trained * _STATE + activations + head)


def adapter_parameters(config: TrainingConfig, size: ModelSize) -> int:
    """About how many weights a LoRA adapter on all linear layers has: seven of them in a layer, the
    feed-forward ones about three times as wide as the rest."""
    return size.layers * config.lora_r * size.width * 20


def free_memory(*workers: int) -> int:
    """Bytes that a new run could have: what is available, and what the processes `workers`, which will
    have ended before it begins, hold now. A container's limit counts too."""
    available = psutil.virtual_memory().available
    limit, used = _cgroup("memory.max"), _cgroup("memory.current")
    if limit is not None and used is not None:
        available = min(available, max(0, limit - used))
    return available + sum(map(_held, workers))


def readable(size: float) -> str:
    """`3.2 GB`, in units of 1024."""
    return f"{size / GIB:.1f} GB" if size >= GIB else f"{size / MIB:.0f} MB"


def _held(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _cgroup(name: str) -> int | None:
    try:
        text = (_CGROUP / name).read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
