"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from recsys.errors import DiskFullError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all. Raises DiskFullError."""
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DiskFullError(path=path.parent, problem=error.strerror or error) from error
