"""Seconds from `python app.py` to the first page, on a home folder that was used before."""

from __future__ import annotations

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.served import served
from recsys.retrieval.catalogs import Catalogs
from recsys.settings import Settings

_ROUNDS = 5


def run() -> None:
    """Print the median and the range of a few warm starts."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        catalogs = Catalogs(Settings(home=home).paths)
        catalogs.prepare_demos()
        catalogs.wait()
        catalogs.close()
        with served(home):
            pass
        seconds = []
        for _ in range(_ROUNDS):
            with served(home) as (_address, first_page):
                seconds.append(first_page)
    print(
        f"warm start to first page: median {statistics.median(seconds):.1f} s "
        f"(from {min(seconds):.1f} to {max(seconds):.1f}, {_ROUNDS} starts)"
    )
