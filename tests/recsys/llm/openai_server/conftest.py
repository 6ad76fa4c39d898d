"""Servers that misbehave in one way each, and backends for them and for the real one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from recsys.llm.openai_server.backend import OpenAIBackend
from recsys.llm.openai_server.name import parse_server_name
from tests.recsys.llm.openai_server.support import KEY, Misbehaving, Reply

MakeServer = Callable[..., Misbehaving]


@pytest.fixture
def make_server() -> Iterator[MakeServer]:
    """A server from `answer(reply, number)`, where `number` counts requests from 0, and its `/models`."""
    servers: list[ThreadingHTTPServer] = []

    def make(
        answer: Callable[[Reply, int], object], models: list[dict[str, Any]] | None = None
    ) -> Misbehaving:
        counting = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                reply = Reply(self, {})
                if models is None:
                    reply.error(404, "no such address")
                else:
                    reply.json(200, {"object": "list", "data": models})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with counting:
                    number = len(server.asked)
                    server.asked.append({**body, "path": self.path})
                    server.keys.append(self.headers.get("Authorization", ""))
                answer(Reply(self, body), number)

            def log_message(self, *args: object) -> None:
                pass

        listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        listening.daemon_threads = True
        server = Misbehaving(f"http://127.0.0.1:{listening.server_port}/v1")
        servers.append(listening)
        threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
        return server

    yield make
    for listening in servers:
        listening.shutdown()
        listening.server_close()


MakeBackend = Callable[..., OpenAIBackend]


@pytest.fixture
def make_backend() -> Iterator[MakeBackend]:
    """A backend for the model `name` on the server at `url`."""
    made: list[OpenAIBackend] = []

    def make(url: str, name: str = "m", options: str = "", **settings: Any) -> OpenAIBackend:
        server = parse_server_name(f"openai:{url}{options}#{name}")
        made.append(OpenAIBackend(server, **{"context_tokens": 4096, "timeout_s": 20.0, **settings}))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real server's key in the environment."""
    monkeypatch.setenv("ZEROSHELF_OPENAI_API_KEY", KEY)
