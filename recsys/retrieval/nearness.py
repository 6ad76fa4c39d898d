"""How close items are in what can be counted, such as the year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsys.catalog import Item
from recsys.retrieval.keywords import Scores

_MIN_SHARE = 0.5


def logarithm(items: Sequence[Item], attribute: str) -> Scores:
    """log(1 + value) of a numeric attribute; items without it, or below 0, get the mean of the others."""
    values = [item.attributes.get(attribute) for item in items]
    known = np.array([float(v) if isinstance(v, int | float) and v >= 0 else np.nan for v in values])
    if np.isnan(known).all():
        return np.zeros(len(items), dtype=np.float32)
    logs = np.log1p(known)
    filled: Scores = np.where(np.isnan(logs), np.nanmean(logs), logs).astype(np.float32)
    return filled


class NumberIndex:
    """The numeric attributes that at least half of a catalogue's items have.

    Closeness is exp(-difference / interquartile range), so 1 for the same number; an item without the
    attribute counts as if it had the median.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        found: dict[str, dict[int, float]] = defaultdict(dict)
        for position, item in enumerate(items):
            for name, value in item.attributes.items():
                if isinstance(value, int | float):
                    found[name][position] = float(value)
        self._size = len(items)
        self._columns: dict[str, tuple[npt.NDArray[np.float64], float]] = {}
        for name, values in found.items():
            low, middle, high = np.quantile(list(values.values()), [0.25, 0.5, 0.75])
            if len(values) >= _MIN_SHARE * len(items) and high > low:
                column = np.full(len(items), middle)
                column[list(values)] = list(values.values())
                self._columns[name] = column, float(high - low)

    def scores(self, history: Sequence[Item], weights: Sequence[float]) -> Scores:
        """The weighted mean closeness to the history's items, over all attributes that are in both."""
        total = np.zeros(self._size, dtype=np.float32)
        for name, (column, spread) in self._columns.items():
            for item, weight in zip(history, weights, strict=True):
                value = item.attributes.get(name)
                if isinstance(value, int | float):
                    total += weight * np.exp(-np.abs(column - value) / spread)
        return total / max(float(sum(weights)), 1e-9)
