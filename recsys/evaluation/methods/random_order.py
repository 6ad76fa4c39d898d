"""Random order: what knowing nothing gives."""

from __future__ import annotations

import zlib

import numpy as np

from recsys.evaluation.cases import Case
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench


class RandomOrder:
    """A seeded draw for each user."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def scores(self, case: Case) -> Scores:
        """Numbers between 0 and 1."""
        seed = [self._bench.seed, zlib.crc32(case.user.encode("utf-8", "replace")), len(case.history)]
        return np.random.default_rng(seed).random(len(self._bench.data.items), dtype=np.float32)
