"""Why an item was found: how near it is to each thing that is known of the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from recsys.catalog import Item
from recsys.retrieval.embedders import Vectors
from recsys.retrieval.hyde import Parts
from recsys.retrieval.item_matrix import unit

_NEAREST = 2
"""History items that are named for one recommended item."""


@dataclass(frozen=True, slots=True)
class Reason:
    """`score` is the centred cosine similarity of the recommended item and a history item (`item`), the
    query, or the answer."""

    kind: Literal["history", "query", "answer"]
    score: float
    item: Item | None = None


def reasons(centred: Vectors, parts: Parts, history: Sequence[Item]) -> list[tuple[Reason, ...]]:
    """For each row of `centred` (items, dimension) the nearest two history items, the query and the answer.

    Best first. `parts.history` has one row for each item of `history`.
    """
    items = unit(centred)
    found: list[list[Reason]] = [[] for _ in range(len(items))]
    if parts.history is not None and len(history):
        scores = items @ unit(parts.history).T
        for row, of_row in enumerate(scores):
            for number in sorted(range(len(history)), key=lambda n: -float(of_row[n]))[:_NEAREST]:
                found[row].append(Reason("history", float(of_row[number]), history[number]))
    for kind, vector in (("query", parts.query), ("answer", parts.answer)):
        if vector is not None:
            for row, score in enumerate((items @ unit(vector)).tolist()):
                found[row].append(Reason(kind, score))  # type: ignore[arg-type]  # one of the two
    return [tuple(sorted(of_item, key=lambda r: -r.score)) for of_item in found]
