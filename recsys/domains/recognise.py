"""Which dataset lies under a path, when nobody says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from recsys.domains.base import Dataset
from recsys.domains.registry import DATASETS
from recsys.domains.source import Source
from recsys.errors import DatasetFileError

_MUSIC = re.compile(r"music|cds_and_vinyl", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A dataset's name and edition, both empty where it is none; `error` says where it cannot be read."""

    dataset: str = ""
    edition: str = ""
    error: DatasetFileError | None = None


def recognise(path: Path) -> Recognised:
    """The first dataset of the registry whose files are under `path`; nothing is raised.

    Amazon's categories have one layout, so the names of the files decide whether it is music.
    """
    try:
        source = Source(path)
    except DatasetFileError as error:
        return Recognised(error=error)
    for name, dataset in _in_order(path):
        if known := dataset.recognise(source):
            return Recognised(name, known[0].name)
    return Recognised()


def _in_order(path: Path) -> list[tuple[str, type[Dataset]]]:
    names = [path.name, *(child.name for child in path.iterdir())] if path.is_dir() else [path.name]
    music = any(_MUSIC.search(name) for name in names)
    last = "amazon-music" if not music else "amazon"
    return sorted(DATASETS.items(), key=lambda entry: entry[0] == last)
