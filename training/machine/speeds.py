"""How fast earlier runs on this machine were, so that a new one's duration can be foretold.

<home>/speeds.jsonl      one line a run: what it trained, and tokens a second
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from statistics import median

from pydantic import BaseModel, ConfigDict, ValidationError

from training.config import TrainingConfig

_FILE = "speeds.jsonl"
_LAST = 5


class Speed(BaseModel):
    """One run's rate, in tokens of prompts and answers a second, over all its steps."""

    model_config = ConfigDict(frozen=True)

    time: float
    kind: str
    model: str
    settings: str
    tokens_per_s: float


def remember_speed(home: Path, config: TrainingConfig, tokens_per_s: float) -> None:
    """Add a line; nothing happens where it cannot be written."""
    speed = Speed(
        time=time.time(),
        kind=config.kind,
        model=config.model,
        settings=_settings(config),
        tokens_per_s=tokens_per_s,
    )
    with suppress(OSError), (home / _FILE).open("a", encoding="utf-8") as file:
        file.write(speed.model_dump_json() + "\n")


def expected_speed(home: Path, config: TrainingConfig) -> float | None:
    """The median of the last five runs of this kind, model and way of training; None without any."""
    try:
        lines = (home / _FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    wanted = (config.kind, config.model, _settings(config))
    rates = []
    for line in lines:
        with suppress(ValidationError):
            speed = Speed.model_validate_json(line)
            if (speed.kind, speed.model, speed.settings) == wanted:
                rates.append(speed.tokens_per_s)
    return median(rates[-_LAST:]) if rates else None


def _settings(config: TrainingConfig) -> str:
    """What makes a run of one model faster or slower, apart from the length of its rows."""
    fast = "fast" if config.fast_path else "plain"
    return f"{config.method} {config.dtype} {fast} {config.processes}"
