"""How `make test` shares the tests out to two processes."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling

from recsys.settings import usable_cpus

LONG = ("tests/e2e/", "tests/training/runs/", "tests/training/")
"""Folders whose tests share an app, models or finished runs, so that each process would have to make its own.
They take longest and begin first."""


def pytest_configure(config: pytest.Config) -> None:
    """Each process takes its share of the processors: models whose threads wait for each other on processors
    that are taken would spin most of the time. Must come before torch is imported."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        share = str(max(1, usable_cpus() // workers))
        os.environ.setdefault("ZEROSHELF_THREADS", share)
        os.environ.setdefault("OMP_NUM_THREADS", share)


class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Tests of one folder go to one process."""

    def _split_scope(self, nodeid: str) -> str:
        folder = str(PurePosixPath(nodeid.split("::")[0]).parent)
        return next((long for long in LONG if nodeid.startswith(long)), folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long folders first."""

    def place(item: pytest.Item) -> int:
        return next((i for i, long in enumerate(LONG) if item.nodeid.startswith(long)), len(LONG))

    items.sort(key=place)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """A hook of pytest-xdist's, used with `-n`."""
    return FolderScheduling(config, log)
