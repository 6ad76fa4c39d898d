"""Seconds to index the nine demo catalogues into an empty home folder, as the first start does."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from recsys.retrieval.catalogs import Catalogs
from recsys.settings import Settings


def run() -> None:
    """Print the time, the embedder's loading included."""
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        catalogs = Catalogs(Settings(home=Path(folder)).paths)
        catalogs.prepare_demos()
        catalogs.wait()
        seconds = time.perf_counter() - started
        rows = catalogs.store.catalogs()
        catalogs.close()
    items, chunks = sum(row.items for row in rows), sum(row.chunks for row in rows)
    print(f"{len(rows)} catalogues, {items} items, {chunks} chunks: {seconds:.0f} s")
