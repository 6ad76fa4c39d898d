"""What embedders that stand in front of another one have in common."""

from __future__ import annotations

from recsys.retrieval.embedders.base import Embedder


class AroundEmbedder:
    """Says of itself what `embedder` says: the vectors are its own. What is embedded, subclasses decide."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def name(self) -> str:
        """That of the embedder."""
        return self._embedder.name

    @property
    def dimension(self) -> int:
        """That of the embedder."""
        return self._embedder.dimension

    @property
    def loading(self) -> bool:
        """Whether the embedder is."""
        return self._embedder.loading

    def count_tokens(self, text: str) -> int:
        """As the embedder counts them."""
        return self._embedder.count_tokens(text)

    def close(self) -> None:
        """Close the embedder."""
        self._embedder.close()
