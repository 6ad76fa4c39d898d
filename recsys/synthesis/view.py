"""What a page shows of a job's rows: scores with a threshold, and rows on both sides of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.domains.registry import open_dataset
from recsys.synthesis.config import SynthesisConfig
from recsys.synthesis.rows import Row
from recsys.synthesis.shards import read_rows, read_scores
from recsys.synthesis.writer import Shard

_MOST_ROWS = 50_000


@dataclass(frozen=True)
class Scores:
    """Scores of one source's training rows, shape (rows,); `other` counts rows dropped for other reasons.

    Only rows whose fate the score decides are among them: kept ones, and those dropped for it.
    """

    dataset: str
    scores: npt.NDArray[np.float64]
    other: Counter[str]

    def kept(self, threshold: float) -> int:
        """How many would stay with this threshold, before near duplicates are taken out."""
        return int((self.scores < threshold).sum())


@dataclass(frozen=True)
class Seen:
    """A row with what became of it."""

    row: Row
    reason: str


def job_scores(out: Path) -> dict[str, Scores]:
    """The scores of a job's newest rows so far, by source; also while it runs."""
    found: dict[str, list[npt.NDArray[np.float64]]] = {}
    other: dict[str, Counter[str]] = {}
    for path, shard in _shards(out):
        values, dropped = read_scores(path)
        decided = np.array([reason in (None, "score") for reason in dropped], dtype=bool)
        found.setdefault(shard.dataset, []).append(values[decided])
        other.setdefault(shard.dataset, Counter()).update(r for r in dropped if r not in (None, "score"))
    return {
        name: Scores(name, np.concatenate(parts)[:_MOST_ROWS], other[name]) for name, parts in found.items()
    }


def around(out: Path, threshold: float, each: int = 3) -> tuple[list[Row], list[Row]]:
    """The rows with the highest scores below `threshold`, and those with the lowest at or above it."""
    below: list[Row] = []
    above: list[Row] = []
    for path, _ in _shards(out):
        values, _ = read_scores(path)
        known = ~np.isnan(values)
        for side, rows, best in ((values < threshold, below, -values), (values >= threshold, above, values)):
            places = np.flatnonzero(side & known)
            keep = np.zeros(len(values), dtype=bool)
            keep[places[np.argsort(best[places], kind="stable")[:each]]] = True
            rows += read_rows(path, keep) if keep.any() else []
        below = sorted(below, key=lambda row: -(row.score or 0.0))[:each]
        above = sorted(above, key=lambda row: row.score or 0.0)[:each]
    return below, above


def examples(out: Path, dataset: str = "", reason: str = "", most: int = 10) -> list[Seen]:
    """Training rows of a job, all or of one source; those dropped for `reason`, or kept ones without."""
    found: list[Seen] = []
    for path, shard in _shards(out):
        if dataset and shard.dataset != dataset:
            continue
        _, dropped = read_scores(path)
        keep = np.array([(why or "") == reason for why in dropped], dtype=bool)
        keep &= np.cumsum(keep) <= most - len(found)
        if keep.any():
            found += [Seen(row, reason) for row in read_rows(path, keep)]
        if len(found) >= most:
            break
    return found


def known_source(dataset: str, path: Path) -> str:
    """The edition of the dataset at `path`; raises DatasetFormatError and DatasetFileError."""
    return open_dataset(dataset, path).edition


def preview_config(config: SynthesisConfig, rows: int = 200) -> SynthesisConfig:
    """The same job with few rows, for a look before the long run."""
    small = {"examples": rows, "preference": 0, "test": 0, "shard_rows": min(rows, 100)}
    return config.model_copy(update=small)


def _shards(out: Path) -> list[tuple[Path, Shard]]:
    """Training shards of the job's latest configuration."""
    folders = sorted((out / "work").glob("*/shards"), key=lambda p: p.stat().st_mtime) if out.is_dir() else []
    if not folders:
        return []
    return [
        (path, shard)
        for path in sorted(folders[-1].glob("train-*.parquet"))
        if (shard := Shard.from_name(path.name)) is not None
    ]
