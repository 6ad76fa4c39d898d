"""A real app in a process of its own, for measurements that need one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_APP = Path(__file__).resolve().parent.parent / "app.py"


@contextmanager
def served(home: Path, *options: str, **environment: str) -> Iterator[tuple[str, float]]:
    """(address, seconds from the start of the process to the first page) of an app over `home`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(_APP), "--port", str(port), "--home", str(home), *options]
    started = time.perf_counter()
    with (home / "app.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment})
    try:
        address = f"http://127.0.0.1:{port}"
        while not _answers(address):
            if process.poll() is not None:
                raise RuntimeError((home / "app.log").read_text())
            time.sleep(0.05)
        yield address, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as page:
            return bool(page.status == 200)
    except (urllib.error.URLError, OSError):
        return False
