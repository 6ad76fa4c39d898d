"""EASE: a linear model from all items to all items. In-domain, not zero-shot."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.cases import Case
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench

_REGULARISATION = 200.0
_MAX_ITEMS = 6000


class Ease:
    """The closed form with a diagonal of zeros (Steck, "Embarrassingly Shallow Autoencoders for Sparse
    Data", WWW 2019), over the 6,000 most frequent items: the inverse takes memory by their square."""

    def __init__(self, bench: Workbench) -> None:
        known = bench.data.known
        counts = np.asarray(known.sum(axis=0)).ravel()
        self._items = np.sort(np.argsort(-counts, kind="stable")[: min(_MAX_ITEMS, int((counts > 0).sum()))])
        self._size = len(counts)
        self._column = np.full(self._size, -1)
        self._column[self._items] = np.arange(len(self._items))
        part = known[:, self._items]
        gram = np.asarray((part.T @ part).todense(), dtype=np.float32)
        gram[np.diag_indices_from(gram)] += _REGULARISATION
        inverse = np.linalg.inv(gram)
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        self._weights: Scores = weights.astype(np.float32)

    def scores(self, case: Case) -> Scores:
        """The summed weights from the history's items; items that nobody has come last."""
        total = np.full(self._size, -np.inf, dtype=np.float32)
        columns = [c for c in self._column[list(case.history)].tolist() if c >= 0]
        total[self._items] = self._weights[columns].sum(axis=0)
        return total
