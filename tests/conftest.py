"""How `make test` shares the tests out to two processes: `pytest -n 2 --dist loadgroup`."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TOGETHER = ("e2e", "training/runs", "training", "recsys", "annotation")
"""Folders whose tests share an app, models or finished runs; each process would have to make its own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one of these folders go to one process."""
    for item in items:
        path = item.path.relative_to(TESTS).as_posix()
        group = next((folder for folder in TOGETHER if path.startswith(f"{folder}/")), path)
        item.add_marker(pytest.mark.xdist_group(group))
