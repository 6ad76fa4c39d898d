"""How training ended: its numbers, or what went wrong, for whoever waits for the processes that trained."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from training.runs.folder import RunFolder, write_atomically

_FILE = "outcome.json"


class TrainingResult(BaseModel):
    """How training ended. `metrics` has the first and last step's numbers (`first/...` and bare names) and
    the held-out ones under `held_out/`; it holds the latter only when the run was not cancelled.
    `curves` has at most 50 points (step, value) of each series."""

    model_config = ConfigDict(frozen=True)

    steps: int
    metrics: dict[str, float]
    curves: dict[str, list[tuple[int, float]]]
    tokens_per_s: float = 0.0


class Outcome(BaseModel):
    """One of the two is there."""

    model_config = ConfigDict(frozen=True)

    result: TrainingResult | None = None
    error: str | None = None


def write_outcome(folder: RunFolder, outcome: Outcome) -> None:
    """Leave it in the run's folder; the first error stays, since it brings down the other processes."""
    known = read_outcome(folder)
    if known is None or known.error is None:
        write_atomically(_path(folder), outcome.model_dump_json())


def read_outcome(folder: RunFolder) -> Outcome | None:
    """What was left there; None before training ended, or when it ended without a word."""
    try:
        return Outcome.model_validate_json(_path(folder).read_bytes())
    except (OSError, ValidationError):
        return None


def forget_outcome(folder: RunFolder) -> None:
    """Before training begins again."""
    _path(folder).unlink(missing_ok=True)


def _path(folder: RunFolder) -> Path:
    return folder.path / _FILE
