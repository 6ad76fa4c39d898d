"""Any sentence-transformers model, from a folder or the hub, in a process of its own."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from recsys.errors import EmbedderError, ZeroshelfError
from recsys.retrieval.embedders.base import Vectors, clean, estimated_tokens
from recsys.retrieval.embedders.prefixes import Prefixes, usual_prefixes
from recsys.retrieval.embedders.turns import Turns
from recsys.retrieval.embedders.worker import read_message, write_message

_PROJECT = Path(__file__).resolve().parents[3]
_AT_ONCE = 8
_END_S = 5.0
_LAST_WORDS = 400


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    log: IO[bytes]


@dataclass(frozen=True)
class _Loaded:
    """What the model says of itself."""

    digest: str
    dimension: int
    count: Callable[[str], int]


class SentenceTransformersEmbedder:
    """One model. Loading begins when this is made; whoever asks first waits for it.

    `folder` gives the folder of the model and is called in the background, since it may download. A process
    that died is started again at the next request. Raises EmbedderError.
    """

    def __init__(
        self, name: str, folder: Callable[[], Path], *, prefixes: Prefixes = Prefixes(), threads: int = 1
    ) -> None:
        self._given = name
        self._folder = folder
        self._prefixes = prefixes
        self._threads = threads
        self._turns = Turns()
        self._worker: _Worker | None = None
        self._known: _Loaded | None = None
        self._failed: EmbedderError | None = None
        self._closed = threading.Event()
        threading.Thread(target=self._begin, name="embedder", daemon=True).start()

    @property
    def name(self) -> str:
        """The model's name with a digest of its files and prefixes."""
        return f"{self._given.replace(' ', '_')}@{self._loaded().digest}"

    @property
    def dimension(self) -> int:
        """As the model says."""
        return self._loaded().dimension

    @property
    def loading(self) -> bool:
        """Until the process has answered or failed."""
        return self._known is None and self._failed is None

    def count_tokens(self, text: str) -> int:
        """By the model's own tokenizer where it is a fast one, otherwise about."""
        return self._loaded().count(clean(text))

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries."""
        with self._turns.first():
            return self._embed("query", texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, a few at a time, so that queries get in between."""
        parts = []
        for start in range(0, len(texts), _AT_ONCE):
            with self._turns.after():
                parts.append(self._embed("passage", texts[start : start + _AT_ONCE]))
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)

    def close(self) -> None:
        """End the process."""
        self._closed.set()
        if (worker := self._worker) is not None:
            _end(worker)

    def _begin(self) -> None:
        try:
            self._loaded()
        except EmbedderError:
            return  # told to whoever asks

    def _loaded(self) -> _Loaded:
        known = self._known
        if known is None:
            with self._turns.first():
                if self._failed is not None:
                    raise self._failed  # loading it again would take as long and end as it did
                try:
                    self._start()
                except EmbedderError as error:
                    self._failed = error
                    raise
                except (OSError, ZeroshelfError) as error:
                    self._failed = EmbedderError(name=self._given, problem=str(error).rstrip("."))
                    raise self._failed from error
                known = self._known
        assert known is not None
        return known

    def _start(self) -> _Worker:
        """The running process with its model; started where there is none. For whoever has the turn."""
        if self._worker is not None and self._worker.process.poll() is None:
            return self._worker
        if self._worker is not None:
            _end(self._worker)
        if self._closed.is_set():
            raise EmbedderError(name=self._given, problem="it has been closed")
        usual = usual_prefixes(self._given)
        first = {
            "folder": str(self._folder()),
            "threads": self._threads,
            "query": self._prefixes.query,
            "passage": self._prefixes.passage,
            "usual_query": usual.query,
            "usual_passage": usual.passage,
        }
        log = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the process
        process = subprocess.Popen(
            [sys.executable, "-m", "recsys.retrieval.embedders.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(_PROJECT), "TOKENIZERS_PARALLELISM": "false"},
        )
        self._worker = worker = _Worker(process, log)
        hello, _ = self._ask(worker, first)
        if self._known is not None and self._known.digest != hello["digest"]:
            _end(worker)
            raise EmbedderError(name=self._given, problem="its files were changed while it was in use")
        self._known = _Loaded(hello["digest"], hello["dimension"], _counter(hello["tokenizer"]))
        return worker

    def _embed(self, kind: str, texts: Sequence[str]) -> Vectors:
        worker = self._start()
        told, data = self._ask(worker, {"kind": kind, "texts": [clean(text) for text in texts]})
        vectors = np.frombuffer(data, dtype="<f4").reshape(told["rows"], told["columns"])
        return vectors.astype(np.float32)

    def _ask(self, worker: _Worker, message: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        asked, told = worker.process.stdin, worker.process.stdout
        assert asked is not None
        assert told is not None
        try:
            write_message(asked, message)
            answer = read_message(told)
            size = 4 * answer["rows"] * answer["columns"] if answer and "rows" in answer else 0
            data = told.read(size) if size else b""
        except (OSError, ValueError, struct.error):
            answer, size, data = None, 0, b""
        if answer is None or len(data) < size:
            raise EmbedderError(name=self._given, problem=f"its process ended; {_last_words(worker)}")
        if "error" in answer:
            raise EmbedderError(name=self._given, problem=str(answer["error"])[:_LAST_WORDS])
        return answer, data


def _end(worker: _Worker) -> None:
    process = worker.process
    process.kill()
    process.wait(_END_S)
    for stream in (process.stdin, process.stdout, worker.log):
        try:
            if stream is not None:
                stream.close()
        except OSError:
            continue  # what was to be written to it goes nowhere


def _last_words(worker: _Worker) -> str:
    try:
        worker.log.seek(0)
        said = worker.log.read().decode("utf-8", "replace").strip()
    except ValueError:  # closed meanwhile
        return "it was closed"
    lines = [line for line in said.splitlines() if line.strip()]
    return f"its last words: {lines[-1].strip()[-_LAST_WORDS:]}" if lines else "it said nothing"


def _counter(tokenizer: str) -> Callable[[str], int]:
    if not tokenizer:
        return estimated_tokens
    from tokenizers import Tokenizer

    known = Tokenizer.from_str(tokenizer)
    known.no_truncation()
    known.no_padding()
    return lambda text: len(known.encode(text).ids)
