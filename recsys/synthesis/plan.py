"""Which rows a job still has to write, and which of those that it wrote it keeps."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.domains.histories import Split
from recsys.synthesis.config import SynthesisConfig
from recsys.synthesis.prepare import SourceCard
from recsys.synthesis.quality import near_duplicates
from recsys.synthesis.report import Obtained, Report
from recsys.synthesis.shards import ShardStore, read_verdicts
from recsys.synthesis.writer import Shard

_ORDER: tuple[Split, ...] = ("test", "preference", "train")


class Plan:
    """Which shards there are, which are still wanted, and which rows of them are kept."""

    def __init__(self, config: SynthesisConfig, cards: dict[str, SourceCard], store: ShardStore) -> None:
        self._config = config
        self._cards = cards
        self._store = store
        totals = {"train": config.examples, "preference": config.preference, "test": config.test}
        if config.preview:
            totals |= {"preference": 0, "test": 0}
        self._wanted = {split: config.wanted(totals[split]) for split in _ORDER}
        self._verdicts: dict[Shard, tuple[list[str | None], npt.NDArray[np.uint32]]] = {}

    def next_shards(self) -> list[Shard]:
        """The shards that are to be written next; none when there is enough or no more."""
        return [shard for split in _ORDER for name in self._cards for shard in self._lacking(split, name)]

    def rows_done(self) -> int:
        """The rows of finished shards."""
        return sum(
            s.end - s.begin for split in _ORDER for name in self._cards for s in self._done(split, name)
        )

    def kept_files(self) -> dict[Split, dict[str, list[tuple[Path, npt.NDArray[np.bool_]]]]]:
        """For each split and source the shard files, each with a mask of the rows that are kept."""
        return {split: {name: self._kept(split, name)[0] for name in self._cards} for split in _ORDER}

    def report(self, job: str) -> Report:
        """What was asked and what was obtained."""
        obtained: list[Obtained] = []
        for split in _ORDER:
            for name, card in self._cards.items():
                files, dropped = self._kept(split, name)
                obtained.append(
                    Obtained(
                        split=split,
                        dataset=name,
                        domain=card.domain,
                        asked=self._wanted[split][name],
                        obtained=sum(int(mask.sum()) for _, mask in files),
                        available=card.rows[split],
                        written=sum(len(mask) for _, mask in files),
                        dropped=dict(sorted(dropped.items())),
                    )
                )
        return Report(job=job, obtained=obtained, sources=list(self._cards.values()))

    def _lacking(self, split: Split, name: str) -> list[Shard]:
        wanted, available = self._wanted[split][name], self._cards[name].rows[split]
        done = self._done(split, name)
        written = done[-1].end if done else 0
        kept = int(sum(mask.sum() for mask in self._masks(split, done)))
        missing = min(wanted - kept, available - written)
        if missing <= 0:
            return []
        # Where many rows are dropped, more are written at a time, at most ten for each that lacks.
        rows = int(missing / max(kept / written, 0.1)) + 1 if written else missing
        return self._shards(split, name, written, min(written + rows, available))

    def _shards(self, split: Split, name: str, begin: int, end: int) -> list[Shard]:
        size, available = self._config.rows_per_shard, self._cards[name].rows[split]
        # Shards begin at multiples of the size, so that a job that wants more finds the same ones.
        return [Shard(name, split, at, min(at + size, available)) for at in range(begin, end, size)]

    def _done(self, split: Split, name: str) -> list[Shard]:
        """The finished shards from the first on, up to the first gap."""
        done: list[Shard] = []
        for shard in self._shards(split, name, 0, self._cards[name].rows[split]):
            if not self._store.has(shard):
                break
            done.append(shard)
        return done

    def _masks(self, split: Split, shards: list[Shard]) -> list[npt.NDArray[np.bool_]]:
        """For each shard which rows are good: not dropped, and not nearly the same as an earlier one."""
        if not shards:
            return []
        for shard in shards:
            if shard not in self._verdicts:
                self._verdicts[shard] = read_verdicts(self._store.path(shard))
        good = np.array([reason is None for s in shards for reason in self._verdicts[s][0]], dtype=bool)
        if split != "preference":
            sketches = np.concatenate([self._verdicts[shard][1] for shard in shards])
            again = near_duplicates(sketches[good], self._config.quality.near_duplicate)
            good[np.flatnonzero(good)[again]] = False
        borders = np.cumsum([shard.end - shard.begin for shard in shards])[:-1]
        return list(np.split(good, borders))

    def _kept(self, split: Split, name: str) -> tuple[list[tuple[Path, npt.NDArray[np.bool_]]], Counter[str]]:
        """The files with their masks cut to the rows wanted, and why rows were dropped."""
        shards = self._done(split, name)
        dropped: Counter[str] = Counter()
        files: list[tuple[Path, npt.NDArray[np.bool_]]] = []
        room = self._wanted[split][name]
        for shard, good in zip(shards, self._masks(split, shards), strict=True):
            reasons = self._verdicts[shard][0]
            dropped.update(
                reason or "near duplicate" for reason, ok in zip(reasons, good, strict=True) if not ok
            )
            good = good & (np.cumsum(good) <= room)
            room -= int(good.sum())
            files.append((self._store.path(shard), good))
        return files, dropped
