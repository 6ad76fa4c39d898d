"""How much memory a run takes, foretold from the model's size, and how much is free. Without torch.

Resident bytes at the peak of training on a processor:

    560 MiB + 1600 V + b P + 16 A + 7.5 c T L (W + Q + F)

V entries of the vocabulary, P parameters of b bytes (bf16 2, fp32 4, NF4 0.56), A trained weights with
value, gradient and Adam's two means in fp32, T tokens in a batch of the longest rows (twice as many for
DPO), L layers, W, Q and F the widths between layers, of the queries and of the feed-forward part. For each
of them a layer keeps 7.5 numbers of a token for the backward pass, of c bytes: 2 on the fast path in bf16,
otherwise 4, since PEFT casts what goes into an adapter to fp32.

`python -m bench training-memory` sets this beside real runs of SmolLM2 and gemma; both were within a tenth
when the constants were chosen. On a graphics card, where activations are computed again (gradient
checkpointing), what a layer keeps is counted as 2 numbers of its width alone; that is not measured. Of N
processes, ZeRO-2 lets each keep the Nth part of gradients and Adam's means, ZeRO-3 of the weights too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from training.config import TrainingConfig, trains_all
from training.machine.model_size import ModelSize

MIB = 1 << 20
GIB = 1 << 30

_PROCESS = 560 * MIB
_VOCABULARY = 1600
_CUDA = 600 * MIB
_KEPT = 7.5
_CHECKPOINTED = 2
_STATE = 16
_VALUE = 4
_NF4 = 0.56
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides how a run computes: a graphics card or not, and products in bf16 or fp32."""

    on_gpu: bool
    bf16: bool


def memory_needed(config: TrainingConfig, size: ModelSize, longest: int, machine: Machine) -> int:
    """Bytes at the peak of training, in the memory that the weights lie in; `longest` in tokens.

    On a processor all of a run's processes share the memory; of graphics cards each has its own.
    """
    number = 2 if machine.bf16 else 4
    full = trains_all(config)
    weights = size.parameters * (_NF4 if config.method == "qlora" else number)
    trained = size.parameters if full else adapter_parameters(config, size)
    tokens = config.batch_size * min(longest, config.max_length) * (2 if config.kind == "dpo" else 1)
    checkpointed = config.gradient_checkpointing == "on" or (
        config.gradient_checkpointing == "auto" and machine.on_gpu
    )
    fast = config.fast_path and config.processes == 1 and config.zero == "off" and not machine.on_gpu
    kept_bytes = number if fast else 4
    widths = size.width + size.query_width + size.feed_forward
    kept = _CHECKPOINTED * size.width if checkpointed else _KEPT * widths
    fixed = _CUDA if machine.on_gpu else _PROCESS + _VOCABULARY * size.vocabulary
    state: float = trained * _STATE
    if config.zero != "off":
        state = trained * _VALUE + trained * (_STATE - _VALUE) / config.processes
    if config.zero == "zero3":
        weights, state = weights / config.processes, trained * _STATE / config.processes
    one = fixed + weights + state + kept_bytes * kept * tokens * size.layers
    return int(one if machine.on_gpu else one * config.processes)


def adapter_parameters(config: TrainingConfig, size: ModelSize) -> int:
    """About how many weights a LoRA adapter on all linear layers has; keys and values are taken to be as
    wide as queries, which is at most a few too many."""
    attention = 4 * (size.width + size.query_width)
    return size.layers * config.lora_r * (attention + 3 * (size.width + size.feed_forward))


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
