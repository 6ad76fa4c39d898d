"""Rankings among few candidates, for comparison with published tables. Harder numbers come from the whole
catalogue: among few, weak methods look good and the order of methods can change (Krichene and Rendle, "On
Sampled Metrics for Item Recommendation", KDD 2020)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from recsys.evaluation.cases import Case, EvaluationData
from recsys.evaluation.ranking import Scores
from recsys.retrieval.likelihood import candidates

Protocol = Literal["9 random, 9 retrieved", "99 random"]
PROTOCOLS: tuple[Protocol, ...] = ("9 random, 9 retrieved", "99 random")

_RANDOM, _RETRIEVED, _MANY = 9, 9, 99


class CandidateSet(BaseModel):
    """Positions of the items that one case's target is ranked among, the target itself included, shuffled."""

    model_config = ConfigDict(frozen=True)

    target: int
    items: tuple[int, ...]


Sampled = dict[Protocol, list[CandidateSet]]


def draw_candidates(
    data: EvaluationData,
    retrieve: Callable[[Case], Scores],
    seed: int,
    progress: Callable[[int], None] = lambda done: None,
) -> Sampled:
    """Candidates of every case by protocol. Negatives are no target and not in the history; `retrieve`
    gives the scores whose first items are the retrieved ones. Of several targets one is drawn."""
    drawn: Sampled = {protocol: [] for protocol in PROTOCOLS}
    for number, case in enumerate(data.cases):
        rng = np.random.default_rng([seed, number])
        target = int(rng.choice(case.targets))
        taken = {*case.targets, *(case.history if data.same_catalogue else ())}
        retrieved = candidates(retrieve(case), _RETRIEVED, taken).tolist()
        free = np.setdiff1d(np.arange(len(data.items)), list(taken))
        others = np.setdiff1d(free, retrieved)
        few = rng.choice(others, min(_RANDOM, len(others)), replace=False).tolist()
        many = rng.choice(free, min(_MANY, len(free)), replace=False).tolist()
        for protocol, negatives in zip(PROTOCOLS, ([*few, *retrieved], many), strict=True):
            order = rng.permutation([target, *negatives])
            drawn[protocol].append(CandidateSet(target=target, items=tuple(order.tolist())))
        progress(number + 1)
    return drawn
