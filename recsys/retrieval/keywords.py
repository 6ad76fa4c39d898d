"""BM25 over the words of a catalogue (bm25s, the variant of Lucene)."""

from __future__ import annotations

from collections.abc import Sequence

import bm25s
import numpy as np
import numpy.typing as npt

from recsys.retrieval.words import words

Scores = npt.NDArray[np.float32]
"""One number an item, higher is better: shape (items,)."""


_AT_ONCE = 2_000


class KeywordIndex:
    """The words of texts; texts and queries may mix languages. Safe to read from several threads.

    Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009); bm25s: Lù,
    arXiv 2407.03618.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        vocabulary: dict[str, int] = {}
        ids: list[list[int]] = []
        for start in range(0, len(texts), _AT_ONCE):  # the words themselves take ten times the memory
            for found in words(texts[start : start + _AT_ONCE]):
                ids.append([vocabulary.setdefault(word, len(vocabulary)) for word in found])
        self._size = len(ids)
        self._vocabulary = vocabulary
        self._index = bm25s.BM25(method="lucene")
        if vocabulary:
            self._index.index((ids, vocabulary), show_progress=False)

    def scores(self, queries: Sequence[str], weights: Sequence[float] | None = None) -> Scores:
        """The sum over `queries` of weight (1 by default) times BM25; zeros where no word is shared."""
        total = np.zeros(self._size, dtype=np.float32)
        for query, weight in zip(words(queries), weights or [1.0] * len(queries), strict=True):
            known = [self._vocabulary[word] for word in query if word in self._vocabulary]
            if known:
                total += weight * self._index.get_scores_from_ids(known)
        return total
