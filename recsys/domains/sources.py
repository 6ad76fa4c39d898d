"""The sources that a page may choose from: what lies in a folder that the operator names, and uploads.

A page sends a name from the list, never a path.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from recsys.errors import DiskFullError, InputError

_UNSAFE = re.compile(r"[^\w.\-() ]+")
_LONGEST = 120


class SourceFolder:
    """Folders, zips and files directly under the `roots`; the last root also takes uploads."""

    def __init__(self, *roots: Path) -> None:
        self._roots = roots
        self.uploads = roots[-1]

    def names(self) -> list[str]:
        """What can be chosen, by name; a name that two roots have is the first one's."""
        return sorted(self._paths())

    def path(self, name: str) -> Path:
        """Where the source called `name` is; raises InputError for a name that is not in the list."""
        paths = self._paths()
        if name not in paths:
            known = ", ".join(sorted(paths)) or "none yet"
            raise InputError(reason=f"There is no source called {name!r}; there are: {known}.")
        return paths[name]

    def add(self, files: Sequence[Path], name: str = "") -> str:
        """Copy uploaded files into a new folder and return its name.

        The folder is there whole or not at all. Raises InputError for no files, DiskFullError.
        """
        if not files:
            raise InputError(reason="No file was given.")
        wanted = _safe(name) or _safe(files[0].name.split(".")[0]) or "upload"
        part = self.uploads / f".{uuid.uuid4().hex}.part"
        try:
            part.mkdir(parents=True)
            for file in files:
                shutil.copyfile(file, part / (_safe(file.name) or "file"))
            taken = self._paths()
            free = next(n for n in _numbered(wanted) if n not in taken and not (self.uploads / n).exists())
            part.rename(self.uploads / free)
        except OSError as error:
            raise DiskFullError(path=self.uploads, problem=error.strerror or error) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return free

    def _paths(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for root in self._roots:
            if root.is_dir():
                for path in root.iterdir():
                    if not path.name.startswith("."):
                        found.setdefault(path.name, path)
        return found


def _safe(name: str) -> str:
    return _UNSAFE.sub("-", name).strip(" .-")[:_LONGEST]


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1
