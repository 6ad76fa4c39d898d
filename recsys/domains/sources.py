"""The sources that a page may choose from: what lies in one folder, which the operator names, and uploads.

A page sends a name from the list, never a path.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from recsys.errors import InputError

_UNSAFE = re.compile(r"[^\w.\-() ]+")
_LONGEST = 120


class SourceFolder:
    """Folders, zips and files directly under `root`; uploads become folders there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """What can be chosen, by name."""
        if not self.root.is_dir():
            return []
        return sorted(p.name for p in self.root.iterdir() if not p.name.startswith("."))

    def path(self, name: str) -> Path:
        """Where the source called `name` is; raises InputError for a name that is not in the list."""
        if name not in self.names():
            known = ", ".join(self.names()) or "none yet"
            raise InputError(reason=f"There is no source called {name!r}; there are: {known}.")
        return self.root / name

    def add(self, files: Sequence[Path], name: str = "") -> str:
        """Copy uploaded files into a new folder and return its name.

        The folder is there whole or not at all. Raises InputError for no files.
        """
        if not files:
            raise InputError(reason="No file was given.")
        wanted = _safe(name) or _safe(files[0].name.split(".")[0]) or "upload"
        self.root.mkdir(parents=True, exist_ok=True)
        part = self.root / f".{uuid.uuid4().hex}.part"
        try:
            part.mkdir()
            for file in files:
                shutil.copyfile(file, part / (_safe(file.name) or "file"))
            free = next(n for n in _numbered(wanted) if not (self.root / n).exists())
            part.rename(self.root / free)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return free


def _safe(name: str) -> str:
    return _UNSAFE.sub("-", name).strip(" .-")[:_LONGEST]


def _numbered(name: str) -> Sequence[str]:
    return [name, *(f"{name}-{number}" for number in range(2, 10_000))]
