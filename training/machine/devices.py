"""What a run computes on: one or more graphics cards, or else the processor, which is one device.

Found out without torch, for the process that serves the page.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import psutil

_QUERY = ["nvidia-smi", "--query-gpu=index,memory.total,memory.free", "--format=csv,noheader,nounits"]
_TIMEOUT_S = 10.0
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Device:
    """`memory` is in bytes, of one GPU or of the machine; `count` is the number of GPUs."""

    kind: Literal["cpu", "gpu"]
    memory: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics card of NVIDIA's; sizes in bytes."""

    number: int
    total: int
    free: int


def find_device() -> Device:
    """The NVIDIA GPUs, as their driver's own tool lists them, or the processor."""
    if cards := graphics_cards():
        return Device("gpu", min(card.total for card in cards), len(cards))
    return Device("cpu", psutil.virtual_memory().total)


def graphics_cards() -> list[Gpu]:
    """The cards that this process may use, without importing torch; none where nvidia-smi fails."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    try:
        done = subprocess.run(_QUERY, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    cards = parse_cards(done.stdout)
    return cards if allowed is None else [card for card in cards if str(card.number) in allowed.split(",")]


def parse_cards(text: str) -> list[Gpu]:
    """The answer of nvidia-smi; lines that are not three numbers are passed over."""
    cards = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 3 and all(part.isdigit() for part in parts):
            number, total, free = map(int, parts)
            cards.append(Gpu(number, total * _MIB, free * _MIB))
    return cards


def free_devices(
    wanted: int, cards: Collection[int], busy: Collection[tuple[int, ...]]
) -> tuple[int, ...] | None:
    """Cards for a run of `wanted` processes, () for the processor, or None while it has to wait.

    `cards` are the numbers of all, `busy` those of each run that goes on. A run that wants more than
    there are waits for all of them.
    """
    if not cards:
        return None if busy else ()
    taken = {number for numbers in busy for number in numbers}
    if any(not numbers for numbers in busy):
        return None
    left = [number for number in sorted(cards) if number not in taken]
    needed = min(wanted, len(cards))
    return tuple(left[:needed]) if len(left) >= needed else None
