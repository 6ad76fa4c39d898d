"""What this machine trains on, found out without torch, for the process that serves the page."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Device:
    """`memory` is in bytes, of one GPU or of the machine; `count` is the number of GPUs."""

    kind: Literal["cpu", "gpu"]
    memory: int
    count: int = 1


def find_device() -> Device:
    """The NVIDIA GPUs, as their driver's own tool lists them, or the processor."""
    tool = shutil.which("nvidia-smi")
    if tool is not None:
        query = [tool, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
        try:
            found = subprocess.run(query, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
            sizes = [int(line) for line in found.stdout.split()]
        except (OSError, ValueError, subprocess.SubprocessError):
            sizes = []
        if sizes:
            return Device("gpu", min(sizes) << 20, len(sizes))
    return Device("cpu", psutil.virtual_memory().total)


def model_parameters(gguf_file: Path) -> int:
    """How many weights a model's file holds."""
    import gguf

    return sum(int(tensor.n_elements) for tensor in gguf.GGUFReader(gguf_file).tensors)
