"""A real OpenAI-compatible server, and what a server that misbehaves is made of."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

KEY = "sk-test-of-the-server"
CONTEXT = 1024


def chunk(text: str | None = None, index: int = 0, finish: str | None = None, **more: object) -> str:
    """One event of a chat completion's stream."""
    choice = {"index": index, "delta": {"content": text} if text else {}, "finish_reason": finish}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice], **more})}\n\n"


DONE = "data: [DONE]\n\n"


class Reply:
    """What a handler of a test can send, and what it was asked."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        self._handler = handler
        self.body = body

    def json(self, status: int, data: object, **headers: str) -> None:
        """A whole answer."""
        self.raw(status, json.dumps(data).encode(), "application/json", **headers)

    def error(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        """An error as OpenAI words it."""
        self.json(status, {"error": {"message": message, "type": "error", "code": code}}, **headers)

    def raw(self, status: int, data: bytes, kind: str, **headers: str) -> None:
        """Any answer."""
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", kind)
        self._handler.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()
        self._handler.wfile.write(data)

    def stream(self, *events: str, pause_s: float = 0.0) -> int:
        """Events one after another, without a length; returns how many were sent before the client left."""
        self._handler.send_response(200)
        self._handler.send_header("Content-Type", "text/event-stream")
        self._handler.send_header("Connection", "close")
        self._handler.end_headers()
        for sent, event in enumerate(events):
            try:
                self._handler.wfile.write(event.encode())
                self._handler.wfile.flush()
            except OSError:
                return sent
            time.sleep(pause_s)
        return len(events)


@dataclass
class Misbehaving:
    """A server whose completions do what a test says: `asked` are the bodies of its requests, `keys` what
    they were sent with, and `looks` counts the requests for its models.
    """

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    looks: int = 0


@contextmanager
def real_server(gguf: Path, context: int = CONTEXT, **more: object) -> Iterator[str]:
    """The URL of llama-cpp-python's own server with a model under the name `smollm2`; it wants `KEY`.

    `more` are options of that server.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "model": gguf,
        "model_alias": "smollm2",
        "n_ctx": context,
        "n_threads": 2,
        "host": "127.0.0.1",
        "port": port,
        "api_key": KEY,
        # Otherwise each new request cuts off the one before it.
        "interrupt_requests": False,
        "verbose": False,
        **more,
    }
    command = [sys.executable, "-m", "llama_cpp.server"]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/v1/models", process)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server that was started answers at `url`."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {KEY}"})
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the server did not start")
