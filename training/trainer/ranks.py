"""What several training processes have to do alike. With one process all of it is nothing.

Imports torch, accelerate and datasets.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from datasets import Dataset, load_from_disk
from torch.nn import Parameter
from transformers.integrations.deepspeed import is_deepspeed_zero3_enabled

T = TypeVar("T")


def is_first() -> bool:
    """Whether this process is the one that speaks for all."""
    return bool(PartialState().is_main_process)


def agreed(value: T) -> T:
    """The first process's value, in every process; all of them have to call this.

    A wish that only some have seen (a file that appears between two looks) would leave the others
    waiting for them for ever.
    """
    if PartialState().num_processes == 1:
        return value
    found: list[T] = broadcast_object_list([value])
    return found[0]


def shared_dataset(rows: list[dict[str, Any]], folder: Path) -> Dataset:
    """The rows for TRL; in several processes as one file under `folder`.

    TRL lets the first process do what the others then read from the dataset's cache, which datasets in
    memory have in a temporary folder of each process.
    """
    if PartialState().num_processes == 1:
        return Dataset.from_list(rows)
    with PartialState().main_process_first():
        if is_first():
            shutil.rmtree(folder, ignore_errors=True)
            Dataset.from_list(rows).save_to_disk(folder)
    return load_from_disk(folder)


@contextmanager
def whole(parameters: Iterable[Parameter]) -> Iterator[None]:
    """Within it, parameters that ZeRO-3 has split among the processes are whole in each of them."""
    if not is_deepspeed_zero3_enabled():
        yield
        return
    import deepspeed

    with deepspeed.zero.GatheredParameters(list(parameters)), torch.no_grad():
        yield
