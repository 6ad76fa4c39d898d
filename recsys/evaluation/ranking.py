"""From scores to ranks: where the targets come, and what is at the top."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
"""One number an item, higher is better: shape (items,)."""
Ints = npt.NDArray[np.int64]

TOP = 10
"""Length of the lists that metrics of the lists themselves look at."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One case as a method ranked it: the targets' ranks (1 is best, rising) and the `TOP` first items."""

    ranks: Ints
    top: Ints


def rank_all(
    scores: Scores, targets: Sequence[int], left_out: Collection[int], order: Ints, among: Ints | None = None
) -> Ranked:
    """Rank all items but `left_out`, or only those `among`.

    `order` (shape (items,), a permutation) decides between equal scores, so that a method that knows
    nothing ranks at random and not in the order of the catalogue.
    """
    keyed = np.asarray(scores, dtype=np.float32)
    allowed = np.ones(len(keyed), dtype=bool)
    if among is not None:
        allowed[:] = False
        allowed[among] = True
    allowed[list(left_out)] = False
    ranks = []
    for target in targets:
        better = keyed > keyed[target]
        equal = (keyed == keyed[target]) & (order < order[target])
        ranks.append(1 + int(np.count_nonzero((better | equal) & allowed)))
    pool = np.flatnonzero(allowed)
    count = min(TOP, len(pool))
    # Equal scores at the border can be many: all of them are sorted, then cut.
    border = np.partition(keyed[pool], len(pool) - count)[len(pool) - count] if count else 0.0
    best = pool[keyed[pool] >= border]
    top = best[np.lexsort((order[best], -keyed[best]))][:count]
    return Ranked(np.sort(np.array(ranks, dtype=np.int64)), top)
