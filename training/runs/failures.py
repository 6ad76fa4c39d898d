"""What went wrong in a run, as an error with a cause and a cure, from what libraries raise."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

from recsys.errors import DiskFullError, ZeroshelfError
from training.errors import TrainingMemoryError, UnexpectedTrainingError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_ROOM_TEXTS = (
    "No space left on device",
    "File too large",
    "Disk quota exceeded",
    "PytorchStreamWriter failed",
    "inline_container.cc",  # PyTorch's writer, which has written less than it meant to
)
_NO_MEMORY_TEXTS = ("can't allocate memory", "Cannot allocate memory", "out of memory")


def explain(error: BaseException, folder: Path) -> ZeroshelfError:
    """`error`, or what caused it, as one of this project's own.

    PyTorch reports a processor's lack of memory as a RuntimeError, and a full disk, while it writes a
    checkpoint, as one of its own writer; safetensors has an error of its own. So texts are looked at too.
    """
    for one in _chain(error):
        if (isinstance(one, OSError) and one.errno in _NO_ROOM) or _says(one, _NO_ROOM_TEXTS):
            return DiskFullError(path=folder, problem=_line(one))
        if (
            isinstance(one, MemoryError)
            or (isinstance(one, OSError) and one.errno == errno.ENOMEM)
            or type(one).__name__ == "OutOfMemoryError"
            or _says(one, _NO_MEMORY_TEXTS)
        ):
            return TrainingMemoryError(problem=_line(one))
    if isinstance(error, ZeroshelfError):
        return error
    return UnexpectedTrainingError(problem=f"{type(error).__name__}: {_line(error)}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was raised from or while handling."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _says(error: BaseException, texts: tuple[str, ...]) -> bool:
    said = str(error)
    return any(text in said for text in texts)


def _line(error: BaseException) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return first.rstrip(".")[:300]
