"""The endpoints over a store in a process of their own: `python serving.py STORE PORT`.

Without a model: the prompts that are served have candidates. The tests start it, call it and kill it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(store: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address and the process, once it answers; killed at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, __file__, str(store), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 120
            while not _answers(url):
                assert process.poll() is None, process.stdout and process.stdout.read().decode()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield url, process
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as page:
            return bool(page.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _serve(store: Path, port: int) -> None:
    sys.path.insert(0, str(ROOT))
    import gradio as gr

    import annotation.api
    from annotation.service import AnnotationService
    from annotation.store import AnnotationStore
    from recsys.access import Access
    from recsys.ui.page import Texts

    page = Texts("en")
    with gr.Blocks() as blocks:
        annotation.api.register(AnnotationService(AnnotationStore(store)), Access(), page)
    blocks.launch(server_name="127.0.0.1", server_port=port, i18n=page.i18n, show_error=True, quiet=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
