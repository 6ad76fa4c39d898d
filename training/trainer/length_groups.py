"""Batches of rows of about the same length, so that little is spent on padding. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

_BATCHES = 50
"""Batches that are sorted together: enough to be even, few enough to stay random."""


class LengthGroups(Sampler[int]):
    """Row numbers, all of them once an epoch, in batches of about the same length in random order.

    Unlike transformers' sampler it depends only on seed and epoch, so a resumed run goes on with
    the rows that it would have seen, and long batches do not come first.
    """

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths = lengths
        self._batch = batch
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Accelerate's data loader calls this before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        numbers = torch.Generator().manual_seed(self._seed * 1_000_003 + self._epoch)
        rows = torch.randperm(len(self._lengths), generator=numbers).tolist()
        batches: list[list[int]] = []
        for start in range(0, len(rows), _BATCHES * self._batch):
            pool = sorted(rows[start : start + _BATCHES * self._batch], key=self._lengths.__getitem__)
            batches += [pool[i : i + self._batch] for i in range(0, len(pool), self._batch)]
        whole = [batch for batch in batches if len(batch) == self._batch]
        rest = [batch for batch in batches if len(batch) < self._batch]
        order = torch.randperm(len(whole), generator=numbers).tolist()
        for batch in [*(whole[i] for i in order), *rest]:  # a short one elsewhere would shift the others
            yield from batch
