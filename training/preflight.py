"""What will happen when a run is started: rows, steps, memory, disk and time. Without torch."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import ZeroshelfError
from recsys.llm import hub
from recsys.llm.model_files import model_file
from recsys.llm.registry import load_spec
from recsys.settings import Paths
from training.config import DpoConfig, TrainingConfig, trains_all
from training.data.lengths import row_reader
from training.errors import NotEnoughDiskError, NotEnoughGpuMemoryError, NotEnoughMemoryError
from training.machine.devices import graphics_cards
from training.machine.memory import MIB, Machine, adapter_parameters, free_memory, memory_needed, readable
from training.machine.model_size import ModelSize, model_size
from training.machine.processor import is_fast_at_bf16
from training.machine.speeds import expected_speed
from training.methods import Rows, parsed
from training.runs.queue import folders
from training.steps import measurements, precomputes, total_steps

_SHORTEST = 256

_FORWARD = 0.5
"""What a forward pass takes of a step: the frozen weights have no gradient of their own."""

_CHECKPOINTS = 3
"""Two are kept, and a third is written before the oldest goes."""


@dataclass(frozen=True)
class Preflight:
    """What a run would do and need. Memory and disk in bytes, the longest row in tokens; `duration_s` is
    None where no earlier run of this kind tells how fast the machine is. `problems` keep it from fitting.
    """

    rows: int
    held_out: int
    dropped: Mapping[str, int]
    truncated: int
    steps: int
    longest: int
    parameters: int
    on_gpu: bool
    memory_needed: int
    memory_free: int
    disk_needed: int
    disk_free: int
    duration_s: float | None
    problems: Sequence[ZeroshelfError]

    @property
    def fits(self) -> bool:
        """Whether it would be started."""
        return not self.problems


def preflight(config: TrainingConfig, data: Path | Rows, home: Path) -> Preflight:
    """Look at every row as the run itself would, and foretell what it needs.

    Raises UnknownModelError, ModelFileError, HubModelError, UnknownAdapterError, RowsFileError,
    NotEnoughPairsError and NotEnoughRowsError.
    """
    gguf = model_file(load_spec(config.model), Paths(home).models)
    with row_reader(config, gguf, home) as reader:
        rows = reader.prepared(parsed(config, data))
        lengths = reader.sample(rows.train)
    needs = Needs(config, model_size(gguf), max(map(max, lengths)), home)
    steps = total_steps(config, len(rows.train))
    seen: float = min(
        steps * config.batch_size * config.gradient_accumulation * config.processes,
        config.epochs * len(rows.train),
    )
    held_out = len(rows.held_out)
    seen += _FORWARD * held_out * measurements(config, len(rows.train))
    if isinstance(config, DpoConfig) and precomputes(config, len(rows.train), held_out):
        seen += _FORWARD * (len(rows.train) + held_out)
    speed = expected_speed(home, config)
    return Preflight(
        rows=len(rows.train),
        held_out=held_out,
        dropped=rows.dropped,
        truncated=rows.truncated,
        steps=steps,
        longest=needs.longest,
        parameters=needs.size.parameters,
        on_gpu=needs.machine.on_gpu,
        memory_needed=needs.memory(config),
        memory_free=needs.memory_free,
        disk_needed=needs.disk,
        disk_free=needs.disk_free,
        duration_s=seen * sum(map(sum, lengths)) / len(lengths) / speed if speed else None,
        problems=needs.problems(),
    )


def check_fit(config: TrainingConfig, data: Path | Rows, home: Path) -> None:
    """Refuse a run that cannot fit, by its longest rows.

    Raises NotEnoughMemoryError and NotEnoughDiskError. A model of the hub that is not here yet is not
    downloaded for this.
    """
    spec = load_spec(config.model)
    if spec.name.startswith(hub.PREFIX) and hub.cached(spec.name) is None:
        return
    gguf = model_file(spec, Paths(home).models)
    with row_reader(config, gguf, home) as reader:
        longest = reader.longest(parsed(config, data))
    for problem in Needs(config, model_size(gguf), longest, home).problems():
        raise problem


class Needs:
    """What a run takes, against what there is."""

    def __init__(self, config: TrainingConfig, size: ModelSize, longest: int, home: Path) -> None:
        self.config = config
        self.size = size
        self.longest = longest
        workers = [process for folder in folders(home / "runs") if (process := folder.process())]
        alive = [process for process in workers if process.is_alive()]
        cards = graphics_cards()
        bf16 = config.dtype == "bf16" or (config.dtype == "auto" and (bool(cards) or is_fast_at_bf16()))
        self.machine = Machine(on_gpu=bool(cards), bf16=bf16)
        if cards:  # a run that has to wait gets a card that is empty by then
            self.memory_free = max(card.total if alive else card.free for card in cards)
        else:
            self.memory_free = free_memory(*(process.pid for process in alive))
        self._home = home
        self.disk_free = shutil.disk_usage(home).free

    def memory(self, config: TrainingConfig) -> int:
        """Bytes at the peak of training with the settings of `config`."""
        return memory_needed(config, self.size, self.longest, self.machine)

    @property
    def disk(self) -> int:
        """Bytes for checkpoints (weights, and Adam's two means in fp32) and for the adapter's files."""
        full = trains_all(self.config)
        trained = self.size.parameters if full else adapter_parameters(self.config, self.size)
        return _CHECKPOINTS * trained * 12 + 2 * trained * 4 + 16 * MIB

    def problems(self) -> list[ZeroshelfError]:
        """Why the run does not fit, each with what to change."""
        found: list[ZeroshelfError] = []
        needed, free = self.memory(self.config), self.memory_free
        if needed > free:
            error = NotEnoughGpuMemoryError if self.machine.on_gpu else NotEnoughMemoryError
            found.append(error(needed=readable(needed), free=readable(free), fits=self._fits()))
        if self.disk > self.disk_free:
            found.append(
                NotEnoughDiskError(needed=readable(self.disk), free=readable(self.disk_free), path=self._home)
            )
        return found

    def _fits(self) -> str:
        """Settings of which one is changed, or all, so that the run fits; a dash when that is not enough."""
        batch, length = self.config.batch_size, min(self.config.max_length, self.longest)
        while batch > 1 or length > _SHORTEST:
            if batch > 1:
                batch //= 2
            else:
                length = max(_SHORTEST, length // 2)
            changed = self.config.model_copy(update={"batch_size": batch, "max_length": length})
            if self.memory(changed) <= self.memory_free:
                whole = self.config.batch_size * self.config.gradient_accumulation
                shorter = f", max_length {length}" if length < self.longest else ""
                return f"batch_size {batch}, gradient_accumulation {math.ceil(whole / batch)}{shorter}"
        return "–"
