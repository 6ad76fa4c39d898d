from __future__ import annotations

import numpy as np

from recsys.evaluation.sampled import PROTOCOLS, draw_candidates
from recsys.evaluation.workbench import Workbench


def test_candidates_are_target_and_negatives_shuffled(bench: Workbench) -> None:
    drawn = draw_candidates(bench.data, bench.default_scores, 4)
    places = []
    for number, case in enumerate(bench.data.cases):
        few, many = (drawn[protocol][number] for protocol in PROTOCOLS)
        for one in (few, many):
            assert one.target == case.targets[0]
            assert one.items.count(one.target) == 1
            assert len(set(one.items)) == len(one.items)
            assert not set(one.items) & set(case.history)
        assert len(many.items) == 30 - len(case.history)  # of 99 as many as there are
        scores = bench.default_scores(case).copy()
        scores[[*case.history, *case.targets]] = -np.inf
        assert set(np.argsort(-scores)[:9].tolist()) <= set(few.items)
        places.append(few.items.index(few.target))
    assert len(set(places)) > 5


def test_same_seed_draws_the_same(bench: Workbench) -> None:
    first, second, other = (draw_candidates(bench.data, bench.default_scores, seed) for seed in (4, 4, 5))
    assert first == second != other
