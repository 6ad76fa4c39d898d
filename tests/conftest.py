"""How `make test` shares the tests out to two processes."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling

LONG = ("tests/e2e/", "tests/training/runs/", "tests/training/")
"""Folders whose tests share an app, models or finished runs, so that each process would have to make its own.
They take longest and begin first."""


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
