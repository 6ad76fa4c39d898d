"""What an embedder is. It is named, so that an index can refuse another."""

from __future__ import annotations

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
        """Name and version, without blanks; two embedders of one name give the same vectors."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    @property
    def loading(self) -> bool:
        """Whether it is still being loaded; asking it for anything else waits until it is there."""

    def count_tokens(self, text: str) -> int:
        """How many tokens the embedder reads for `text`, at least about."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of short texts that look for something. A person may wait: they go first."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts that are to be found."""

    def close(self) -> None:
        """Free what it holds; it may be asked again after that, and loads again."""


def clean(text: str) -> str:
    """Without NUL, which would end the text in C, and without lone surrogates, which UTF-8 lacks."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def estimated_tokens(text: str) -> int:
    """Four bytes of UTF-8 a token: near enough for English and Korean where the tokenizer is not at hand."""
    return -(-len(text.encode("utf-8", "replace")) // 4)
