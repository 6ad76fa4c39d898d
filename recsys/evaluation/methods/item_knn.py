"""Item-KNN: items that the same people liked. In-domain, not zero-shot."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recsys.evaluation.cases import Case
from recsys.evaluation.ranking import Scores
from recsys.evaluation.workbench import Workbench

_NEIGHBOURS = 100
_SHRINK = 10.0


class ItemKNN:
    """Shrunk cosine between columns of the interaction matrix, the 100 nearest of each history item.

    Sarwar et al., "Item-Based Collaborative Filtering Recommendation Algorithms", WWW 2001; shrinkage as in
    Ferrari Dacrema et al., RecSys 2019.
    """

    def __init__(self, bench: Workbench) -> None:
        self._by_item = sp.csc_array(bench.data.known)
        self._known = sp.csr_array(bench.data.known)
        self._norms = np.sqrt(np.asarray(self._known.sum(axis=0), dtype=np.float32).ravel())

    def scores(self, case: Case) -> Scores:
        """The summed similarity to the history's items."""
        total = np.zeros(len(self._norms), dtype=np.float32)
        for item in case.history:
            users = self._by_item[:, [item]].nonzero()[0]
            common = np.asarray(self._known[users].sum(axis=0), dtype=np.float32).ravel()
            similar = common / (self._norms * self._norms[item] + _SHRINK)
            similar[item] = 0.0
            nearest = np.argpartition(-similar, min(_NEIGHBOURS, len(similar) - 1))[:_NEIGHBOURS]
            total[nearest] += similar[nearest]
        return total
