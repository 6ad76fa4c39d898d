"""Which checkpoint of the trainer is whole, and so can be gone on from.

    checkpoints/checkpoint-50/seal.json      name, size and SHA-256 of each file beside it

The trainer writes a checkpoint file by file under its final name; a kill in between leaves a folder that
looks like one. A seal is written last, when everything is on the disk, and a folder without a seal, or
whose files are not what the seal says, does not count: the one before is taken.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from training.runs.folder import write_atomically

_SEAL = "seal.json"
_NAME = re.compile(r"checkpoint-(\d+)")


class _File(BaseModel):
    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str


class _Seal(BaseModel):
    model_config = ConfigDict(frozen=True)

    files: dict[str, _File]


def step_of(checkpoint: Path) -> int:
    """The number of steps that lie behind `checkpoint`, from its name."""
    match = _NAME.fullmatch(checkpoint.name)
    return int(match[1]) if match else 0


def seal(checkpoint: Path) -> None:
    """Declare a checkpoint whole, after its files are on the disk."""
    files = {}
    for path in _files(checkpoint):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        files[str(path.relative_to(checkpoint))] = _File(size=path.stat().st_size, sha256=sha256)
    write_atomically(checkpoint / _SEAL, _Seal(files=files).model_dump_json(indent=1), durable=True)


def is_whole(checkpoint: Path) -> bool:
    """Whether it is sealed, and its files are what the seal says."""
    try:
        sealed = _Seal.model_validate_json((checkpoint / _SEAL).read_bytes())
        return bool(sealed.files) and all(
            _is_same(checkpoint / name, wanted) for name, wanted in sealed.files.items()
        )
    except (OSError, ValidationError):
        return False


def latest(folder: Path) -> Path | None:
    """The newest whole checkpoint under `folder`."""
    return next((checkpoint for checkpoint in _newest_first(folder) if is_whole(checkpoint)), None)


def latest_sealed_step(folder: Path) -> int | None:
    """The step of the newest checkpoint that has a seal, which is quick to tell; None for none."""
    sealed = (checkpoint for checkpoint in _newest_first(folder) if (checkpoint / _SEAL).is_file())
    return next((step_of(checkpoint) for checkpoint in sealed), None)


def discard_later(folder: Path, kept: Path | None) -> None:
    """Remove the checkpoints after `kept`, none of which is whole; all where there is none to keep."""
    for checkpoint in _newest_first(folder):
        if kept is None or step_of(checkpoint) > step_of(kept):
            shutil.rmtree(checkpoint, ignore_errors=True)


def discard_unsealed(folder: Path) -> None:
    """Remove what was being written when the disk became full."""
    for checkpoint in _newest_first(folder):
        if not (checkpoint / _SEAL).is_file():
            shutil.rmtree(checkpoint, ignore_errors=True)


def _newest_first(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())
    return sorted(found, key=step_of, reverse=True)


def _files(checkpoint: Path) -> list[Path]:
    return sorted(p for p in checkpoint.rglob("*") if p.is_file() and p != checkpoint / _SEAL)


def _is_same(path: Path, wanted: _File) -> bool:
    if path.stat().st_size != wanted.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == wanted.sha256
