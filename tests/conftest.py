"""How `make test` shares the tests out to two processes."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/e2e/", "tests/training/runs/", "tests/training/", "tests/recsys/", "tests/annotation/")
"""Folders whose tests share an app, models or finished runs; each process would have to make its own."""


class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Tests of one of the folders go to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.split("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """A hook of pytest-xdist's, used with `-n`."""
    return FolderScheduling(config, log)
