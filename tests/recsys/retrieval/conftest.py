from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.demos import Demo, load_demos
from recsys.retrieval import catalogs as module
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.embedders import Embedder
from recsys.settings import Paths
from tests.recsys.retrieval.support import Open, small


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "home")


@pytest.fixture
def open_catalogs(paths: Paths, embedder: Embedder) -> Iterator[Open]:
    """Opens the catalogues of `paths`, with the real embedder."""
    opened: list[Catalogs] = []

    def make(embedder: Embedder = embedder) -> Catalogs:
        opened.append(Catalogs(paths, embedder))
        return opened[-1]

    yield make
    for catalogs in opened:
        catalogs.close()


@pytest.fixture
def small_demos(monkeypatch: pytest.MonkeyPatch) -> dict[str, Demo]:
    """Two demo domains of ten items each, with one sentence of their texts."""
    demos = {name: small(demo) for name, demo in load_demos().items() if name in ("films", "games")}
    monkeypatch.setattr(module, "load_demos", lambda: demos)
    return demos
