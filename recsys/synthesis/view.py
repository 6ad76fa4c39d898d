"""What a page shows of a job's rows: scores with a threshold, and rows on both sides of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.llm.model_files import model_file
from recsys.llm.registry import load_spec, prompt_format
from recsys.prompts.formats import Prompt, PromptFormat
from recsys.synthesis.config import SynthesisConfig
from recsys.synthesis.rows import Row
from recsys.synthesis.shards import read_rows, read_scores
from recsys.synthesis.writer import Shard

_PREVIEW_ROWS = 200


@dataclass(frozen=True)
class Scores:
    """Scores of one source's training rows, shape (rows,); `other` counts rows dropped for other reasons.

    Only rows whose fate the score decides are among them: kept ones, and those dropped for it.
    """

    dataset: str
    scores: npt.NDArray[np.float64]
    other: Counter[str]

    def histogram(self, step: float, bins: int) -> list[int]:
        """Counts of the scores from 0 in steps of `step`, each bin without its upper end; the last one
        of the `bins` holds all that is above."""
        places = np.minimum((self.scores / step).astype(np.int64), bins - 1)
        return [int(count) for count in np.bincount(places, minlength=bins)]


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
    return {name: Scores(name, np.concatenate(parts), other[name]) for name, parts in found.items()}


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
    """Training rows of a job, of one source or of all in turn; those dropped for `reason`, or kept ones
    without."""
    found: dict[str, list[Seen]] = {}
    for path, shard in _shards(out):
        rows = found.setdefault(shard.dataset, [])
        if len(rows) >= most or (dataset and shard.dataset != dataset):
            continue
        _, dropped = read_scores(path)
        keep = np.array([(why or "") == reason for why in dropped], dtype=bool)
        keep &= np.cumsum(keep) <= most - len(rows)
        if keep.any():
            rows += [Seen(row, reason) for row in read_rows(path, keep)]
    in_turn = chain.from_iterable(zip_longest(*found.values()))
    return [seen for seen in in_turn if seen is not None][:most]


def as_read(row: Row, form: PromptFormat) -> str:
    """The row's prompt as the model of `form` reads it, up to where its answer begins.

    A base model is tuned without worked examples, so none are shown.
    """
    if form.style == "few-shot":
        form = replace(form, style="plain")
    return form.render(
        Prompt(
            system=row.system, before=row.heading, history=row.history, after=row.ask, language=row.language
        )
    )


@lru_cache(maxsize=8)
def model_format(model: str, models_dir: Path) -> PromptFormat:
    """How the model called `model` is asked; raises UnknownModelError, ModelFileError, HubModelError."""
    spec = load_spec(model)
    return prompt_format(model_file(spec, models_dir), spec.style)


def preview_config(config: SynthesisConfig) -> SynthesisConfig:
    """The same job with few examples, for a look before the long run, which goes on from them."""
    return config.model_copy(update={"examples": min(config.examples, _PREVIEW_ROWS), "preview": True})


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
