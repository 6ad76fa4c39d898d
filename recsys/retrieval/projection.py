"""A map of a catalogue: its items in the two directions in which they differ most (PCA).

The vectors are those that are searched: the mean of an item's chunks, centred on its catalogue, length 1.
Near on the map is often near in the search, not always: two of some hundred dimensions are drawn, and
`CatalogMap.explained` says how much of the differences they hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.catalog import Item
from recsys.errors import InputError
from recsys.recommendation import Recommendation
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.embedders import Vectors
from recsys.retrieval.hyde import search_parts
from recsys.retrieval.item_matrix import unit

PointKind = Literal["item", "result", "history", "query", "answer"]

MOST_POINTS = 1500
"""Items of the catalogue that are drawn; of more, so many are drawn by lot, and all results."""


@dataclass(frozen=True, slots=True)
class MapPoint:
    """One point; `rank` is a result's place, from 1, and otherwise 0. Coordinates are within -1 and 1."""

    kind: PointKind
    x: float
    y: float
    catalog: str = ""
    item: Item | None = None
    rank: int = 0


@dataclass(frozen=True, slots=True)
class CatalogMap:
    """`explained` is the share of the variance that the two directions hold; `items` how many there are."""

    points: tuple[MapPoint, ...]
    explained: float
    items: int


def catalog_map(catalogs: Catalogs, catalog: str, found: Recommendation | None = None) -> CatalogMap:
    """The map of `catalog`, with history, query, answer and results of a recommendation where there is one.

    Raises UnknownCatalogError, and InputError where the catalogue is not indexed or too large for memory.
    """
    ranker = catalogs.ranker(catalog)
    if ranker is None:
        raise InputError(
            reason=f"The catalogue {catalog} cannot be drawn: it is too large or not indexed yet."
        )
    vectors = unit(ranker.matrix.item_vectors - ranker.matrix.centre)
    axes, explained = principal_axes(vectors)
    places = vectors @ axes.T
    ranks = {one.item.id: rank for rank, one in enumerate(found.items if found else (), 1)}
    chosen = _drawn(len(ranker.items), [n for n, i in enumerate(ranker.items) if i.id in ranks])
    history = found.asked.history if found and found.asked else ()
    mine = {item.id for name, item in history if name == catalog}
    points = [
        MapPoint(
            "result" if ranker.items[n].id in ranks else "item",
            *_xy(places[n]), catalog, ranker.items[n], ranks.get(ranker.items[n].id, 0),
        )
        for n in chosen
        if ranker.items[n].id not in mine
    ]  # fmt: skip
    if found and found.asked:
        points += _asked_points(catalogs, catalog, found, axes)
    return CatalogMap(tuple(points), explained, len(ranker.items))


def principal_axes(vectors: Vectors) -> tuple[Vectors, float]:
    """The two directions of most variance, shape (2, dimension), and their share of it.

    Their signs are fixed (the largest component is positive), so that a map looks the same every time.
    """
    centred = (vectors - vectors.mean(axis=0)).astype(np.float64)
    values, directions = np.linalg.eigh(centred.T @ centred)
    axes = directions[:, ::-1][:, :2].T
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    axes = axes * np.where(largest < 0, -1.0, 1.0)
    total = float(values.sum())
    return axes.astype(np.float32), float(values[-2:].sum()) / total if total > 0 else 0.0


def _asked_points(catalogs: Catalogs, catalog: str, found: Recommendation, axes: Vectors) -> list[MapPoint]:
    asked = found.asked
    assert asked is not None  # the caller has looked
    parts = search_parts(
        catalogs.index, catalogs.embedder, target=catalog, history=asked.history, query=asked.query,
        answer=found.answer,
    )  # fmt: skip
    points = []
    if parts.history is not None:
        places = unit(parts.history) @ axes.T
        points += [
            MapPoint("history", *_xy(place), name, item)
            for place, (name, item) in zip(places, asked.history, strict=True)
        ]
    if parts.query is not None:
        points.append(MapPoint("query", *_xy(unit(parts.query) @ axes.T)))
    if parts.answer is not None:
        points.append(MapPoint("answer", *_xy(unit(parts.answer) @ axes.T)))
    return points


def _drawn(count: int, needed: Sequence[int]) -> list[int]:
    if count <= MOST_POINTS:
        return list(range(count))
    lot = np.random.default_rng(0).choice(count, MOST_POINTS, replace=False).tolist()
    return sorted({*lot, *needed})


def _xy(place: Vectors) -> tuple[float, float]:
    return round(float(place[0]), 4), round(float(place[1]), 4)
