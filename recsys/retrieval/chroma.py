"""The Chroma database: embedded, in a folder of one process at a time, or a server that many share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar
from urllib.parse import urlsplit

import chromadb
import httpx
from chromadb.api import ClientAPI
from chromadb.config import Settings
from chromadb.errors import ChromaError

from recsys.errors import IndexServerError

P = ParamSpec("P")
R = TypeVar("R")


class OnServer(Protocol):
    """What may be on a server: `url` is "" where it is not."""

    url: str


S = TypeVar("S", bound=OnServer)

_TOKEN = "ZEROSHELF_CHROMA_TOKEN"
_PORTS = {"http": 8000, "https": 443}
_LONGEST = 200


def open_client(folder: Path, url: str = "") -> ClientAPI:
    """A client of the server at `url`, or of the database in `folder` where there is no URL.

    A token in ZEROSHELF_CHROMA_TOKEN is sent along. Raises IndexServerError.
    """
    if not url:
        return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
    host, port, secure = _parts(url)
    token = os.environ.get(_TOKEN)
    try:
        return chromadb.HttpClient(
            host=host,
            port=port,
            ssl=secure,
            headers={"Authorization": f"Bearer {token}"} if token else None,
            settings=Settings(anonymized_telemetry=False),
        )
    except (ValueError, httpx.HTTPError, ChromaError) as error:
        raise IndexServerError(url=url, problem=_line(error)) from error


def told(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method whose object has a `url`: what its server's client raises, as IndexServerError."""

    @functools.wraps(method)
    def asking(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except (httpx.HTTPError, ChromaError) as error:
            if not self.url:
                raise
            raise IndexServerError(url=self.url, problem=_line(error)) from error

    return asking


def _parts(url: str) -> tuple[str, int, bool]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise IndexServerError(url=url, problem=f"its address cannot be read ({error})") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.username:
        raise IndexServerError(url=url, problem="its address has not the form http://host:port")
    return parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "https"


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:_LONGEST].rstrip(".")
