"""Embeddings from an OpenAI-compatible server."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import httpx2
import numpy as np
import openai
from openai import OpenAI

from recsys.errors import ServedModelError, ServerAnswerError
from recsys.llm.openai_server.failures import (
    RefusedError,
    TooLongError,
    UnknownServedModelError,
    failure,
)
from recsys.llm.openai_server.key import api_key
from recsys.llm.openai_server.name import ServerName
from recsys.retrieval.embedders.base import Vectors, clean, estimated_tokens
from recsys.retrieval.embedders.prefixes import Prefixes, usual_prefixes

_AT_ONCE = 32
_MAX_CHARS = 8_000
_SHORTEST = 64
_CONNECT_S = 5.0
_RETRIES = 2
_NAMED_MODELS = 10


class OpenAIEmbedder:
    """One model on a server. Safe to call from several threads; nothing is asked before the first request.

    The key is read from the environment, as for language models. Texts that the server finds too long are
    cut in half until they fit. Raises ServedModelError, and ServerUnreachableError and its siblings.
    """

    def __init__(
        self, server: ServerName, *, prefixes: Prefixes = Prefixes(), timeout_s: float = 60.0
    ) -> None:
        self._server = server
        self._timeout_s = timeout_s
        known = prefixes.over(usual_prefixes(server.model))
        self._query, self._passage = known.query or "", known.passage or ""
        self._client = OpenAI(
            base_url=server.url,
            api_key=api_key(),
            timeout=httpx2.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s)),
            max_retries=_RETRIES,
        )
        self._dimension = 0

    @property
    def name(self) -> str:
        """Server and model, and the prefixes where there are any: other ones make other vectors."""
        if not self._query and not self._passage:
            return self._server.text
        digest = hashlib.sha256(f"{self._query}\0{self._passage}".encode()).hexdigest()
        return f"{self._server.text}@{digest[:8]}"

    @property
    def dimension(self) -> int:
        """Found out by embedding a word."""
        if not self._dimension:
            self._embed([self._query + "dimension"])
        return self._dimension

    @property
    def loading(self) -> bool:
        """Never: the server has it."""
        return False

    def count_tokens(self, text: str) -> int:
        """An estimate: the server has the tokenizer."""
        return estimated_tokens(text)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries."""
        return self._embed([self._query + clean(text) for text in texts])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages."""
        return self._embed([self._passage + clean(text) for text in texts])

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def _embed(self, texts: Sequence[str]) -> Vectors:
        parts = [self._part(texts[start : start + _AT_ONCE]) for start in range(0, len(texts), _AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)

    def _part(self, texts: Sequence[str]) -> Vectors:
        # Servers refuse a text of nothing.
        wanted = [text[:_MAX_CHARS] if text.strip() else "." for text in texts]
        while True:
            try:
                return self._asked(wanted)
            except TooLongError as error:
                longest = max(map(len, wanted))
                if longest <= _SHORTEST:
                    raise ServerAnswerError(
                        url=self._server.url, problem="it takes no text, however short"
                    ) from error
                wanted = [text[: longest // 2] for text in wanted]

    def _asked(self, texts: list[str]) -> Vectors:
        try:
            answer = self._client.embeddings.create(
                model=self._server.model, input=texts, encoding_format="float"
            )
            rows = sorted(answer.data, key=lambda entry: entry.index)
            vectors = np.array([_pooled(entry.embedding) for entry in rows], dtype=np.float32)
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise self._failure(error) from error
        return self._checked(vectors, len(texts))

    def _failure(self, error: Exception) -> Exception:
        found = failure(error, self._server.url, self._timeout_s)
        if isinstance(found, RefusedError):
            return found.failure
        if not isinstance(found, UnknownServedModelError):
            return found
        try:
            names = [model.id for model in self._client.models.list().data][:_NAMED_MODELS]
        except (openai.OpenAIError, ValueError, TypeError, AttributeError):
            names = []
        known = ", ".join(names) or "no models that it lists, or no address /embeddings"
        return ServedModelError(name=self._server.model, url=self._server.url, known=known)

    def _checked(self, vectors: Vectors, count: int) -> Vectors:
        """Of length 1, once they are as many and as long as they have to be."""
        if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
            problem = "it sent other vectors than were asked for"
            raise ServerAnswerError(url=self._server.url, problem=problem)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not lengths.all() or vectors.shape[1] != (self._dimension or vectors.shape[1]):
            problem = "its vectors have no length, or have another dimension than before"
            raise ServerAnswerError(url=self._server.url, problem=problem)
        self._dimension = vectors.shape[1]
        unit: Vectors = vectors / lengths
        return unit


def _pooled(embedding: object) -> Vectors:
    """One vector: llama.cpp's servers send one a token for models that have no pooling."""
    found = np.array(embedding, dtype=np.float32)
    return found.mean(axis=0) if found.ndim == 2 and len(found) else found
