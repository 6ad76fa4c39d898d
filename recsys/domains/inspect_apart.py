"""Inspecting a dataset in a process of its own, so that reading millions of rows slows down no page."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from recsys.domains.inspect import Inspection
from recsys.errors import DataError

_PROJECT = Path(__file__).resolve().parents[2]
_LAST_WORDS = 2_000


def inspect_apart(name: str, path: Path, cancel: threading.Event | None = None) -> Inspection | None:
    """What `inspect` says of the dataset called `name` under `path`; None once `cancel` is set.

    Raises DataError with what the process said where it cannot be read.
    """
    command = [sys.executable, "-m", "recsys", "datasets", "inspect", "--json", "--", name, str(path)]
    environment = os.environ | {"PYTHONPATH": str(_PROJECT)}
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    try:
        while True:
            try:
                out, problem = process.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                if cancel is not None and cancel.is_set():
                    return None
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if process.returncode:
        said = problem.decode("utf-8", "replace").strip()[-_LAST_WORDS:]
        raise DataError(reason=said or f"Reading {path.name} ended with exit code {process.returncode}.")
    return Inspection.model_validate_json(out)
