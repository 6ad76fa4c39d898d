"""Retrieved items in the order in which a language model expects them.

log p(title | history) - log p(title) says how much the history speaks for a title; the plain likelihood
would favour short and famous ones.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from recsys.retrieval.fusion import standardised
from recsys.retrieval.item_matrix import Ints
from recsys.retrieval.keywords import Scores


class RerankSettings(BaseModel):
    """`depth` items are scored. The order is by `retrieved` times their standardised score, plus `weight`
    times the standardised difference of log p(title | history) and `prior` times log p(title)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    depth: int = Field(default=30, ge=1, le=200)
    retrieved: float = Field(default=1.0, ge=0.0)
    weight: float = Field(default=0.3, gt=0.0)
    prior: float = Field(default=1.0, ge=0.0, le=1.0)


def candidates(scores: Scores, depth: int, left_out: Collection[int] = ()) -> Ints:
    """The positions of the `depth` best items, best first, without those in `left_out`."""
    kept = scores.copy()
    kept[list(left_out)] = -np.inf
    order = np.argsort(-kept, kind="stable")[: min(depth, len(scores) - len(set(left_out)))]
    return order.astype(np.int64)


def reranked(
    scores: Scores, chosen: Ints, given: Sequence[float], alone: Sequence[float], settings: RerankSettings
) -> Scores:
    """`scores` with the `chosen` items on top, in their new order; `given` and `alone` are the logarithms of
    their titles' probabilities with and without the history."""
    speaks = np.array(given, np.float32) - settings.prior * np.array(alone, np.float32)
    order = settings.retrieved * standardised(scores[chosen]) + settings.weight * standardised(speaks)
    result = scores.copy()
    result[chosen] = float(np.max(scores[chosen])) + 1.0 + order - float(np.min(order))
    return result
