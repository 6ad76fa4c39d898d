"""What items are about, as weighted terms: for finding items that are alike.

A term is an attribute value (`genres=drama`) or a word of title and description. Weights are TF-IDF
with rows of length 1 (Salton and Buckley, 1988), so that a product of two rows is their cosine.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.catalog import Item
from recsys.stopwords import stopwords

_WORD = re.compile(r"[a-z]{4,20}")
_TEXT_CHARS = 400
_WORDS_PER_ITEM = 12
_MOST_ITEMS = 0.05
"""Words in more than this share of the items say nothing about any of them."""
_WORD_WEIGHT = 0.6
"""Against attributes: a word of a title says less of what a thing is than its genre does."""
_POSTINGS = 400
"""A term is looked up in at most this many items, drawn evenly: bounds the work for frequent terms."""


class Terms:
    """The terms of one source's items. Row i of `matrix` (shape (items, terms)) is item code i."""

    def __init__(self, matrix: sparse.csr_matrix, names: list[str]) -> None:
        self.matrix = matrix
        self.names = names
        self._postings: sparse.csr_matrix | None = None

    def alike(self, codes: Iterable[int], k: int) -> list[npt.NDArray[np.int64]]:
        """For each item its `k` most similar items, best first, itself left out; fewer where few are."""
        wanted = np.fromiter(codes, np.int64)
        found: list[npt.NDArray[np.int64]] = []
        for begin in range(0, len(wanted), 256):
            block = self.matrix[wanted[begin : begin + 256]] @ self._lookup()
            for row, code in enumerate(wanted[begin : begin + 256]):
                span = slice(block.indptr[row], block.indptr[row + 1])
                items, scores = block.indices[span], block.data[span]
                order = np.lexsort((items, -scores))[: k + 1]
                found.append(items[order][items[order] != code][:k].astype(np.int64))
        return found

    def save(self, path: Path) -> None:
        """Write to one .npz file without pickled objects."""
        names = np.frombuffer("\n".join(self.names).encode(), dtype=np.uint8)
        parts = {"data": self.matrix.data, "indices": self.matrix.indices, "indptr": self.matrix.indptr}
        np.savez(path, names=names, shape=np.array(self.matrix.shape), **parts)

    @classmethod
    def load(cls, path: Path) -> Terms:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            names = file["names"].tobytes().decode().split("\n") if len(file["names"]) else []
            parts = (file["data"], file["indices"], file["indptr"])
            return cls(sparse.csr_matrix(parts, shape=tuple(file["shape"])), names)

    def _lookup(self) -> sparse.csr_matrix:
        """Terms by items, each row thinned to `_POSTINGS` items."""
        if self._postings is None:
            columns = self.matrix.T.tocsr()
            counts = np.diff(columns.indptr)
            place = np.arange(columns.nnz) - np.repeat(columns.indptr[:-1], counts)
            step = np.repeat(np.maximum(counts / _POSTINGS, 1.0), counts)
            keep = np.floor(place / step) != np.floor((place - 1) / step)
            rows = np.repeat(np.arange(columns.shape[0]), counts)[keep]
            self._postings = sparse.csr_matrix(
                (columns.data[keep], (rows, columns.indices[keep])), shape=columns.shape
            )
        return self._postings


def build_terms(items: Iterable[tuple[int, Item]], size: int) -> Terms:
    """Count the terms of (code, item); `size` is one more than the highest code."""
    vocabulary: dict[str, int] = {}
    rows, columns = array("i"), array("i")
    for code, item in items:
        for term in dict.fromkeys(_terms(item)):
            rows.append(code)
            columns.append(vocabulary.setdefault(term, len(vocabulary)))
    row, column = np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)
    frequency = np.bincount(column, minlength=len(vocabulary))
    attribute = np.fromiter(("=" in term for term in vocabulary), bool, len(vocabulary))
    kept = (frequency > 1) & (attribute | (frequency <= max(2.0, _MOST_ITEMS * size)))
    idf = np.log((1 + size) / (1 + frequency)) + 0.05
    idf[~attribute] *= _WORD_WEIGHT
    inside = kept[column]
    row, column = _best_words(row[inside], column[inside], idf, attribute)
    code_of = np.cumsum(kept) - 1
    weights = idf[column].astype(np.float32)
    lengths = np.sqrt(np.bincount(row, weights=weights.astype(np.float64) ** 2, minlength=size))
    data = (weights / np.maximum(lengths[row], 1e-9)).astype(np.float32)
    names = [term for term, keep in zip(vocabulary, kept, strict=True) if keep]
    matrix = sparse.csr_matrix((data, (row, code_of[column])), shape=(size, len(names)), dtype=np.float32)
    return Terms(matrix, names)


def attribute_term(key: str, value: str) -> str:
    """The name of the term for one value of an attribute."""
    return f"{key}={value.casefold()}".replace("\n", " ")


def _terms(item: Item) -> Iterator[str]:
    for key, value in item.attributes.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, str):
                yield attribute_term(key, part)
    stop = stopwords()
    for word in _WORD.findall(f"{item.title} {item.text[:_TEXT_CHARS]}".casefold()):
        if word not in stop:
            yield word


def _best_words(
    row: npt.NDArray[np.int64],
    column: npt.NDArray[np.int64],
    idf: npt.NDArray[np.float64],
    attribute: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All attributes, and the rarest words of each item."""
    order = np.lexsort((column, -(idf[column] + 1000.0 * attribute[column]), row))
    row, column = row[order], column[order]
    starts = np.searchsorted(row, row, side="left")
    attributes = np.bincount(row, weights=attribute[column], minlength=int(row.max()) + 1 if len(row) else 0)
    keep = np.arange(len(row)) - starts < attributes[row] + _WORDS_PER_ITEM
    return row[keep], column[keep]
