from __future__ import annotations

import numpy as np

from recsys.retrieval.likelihood import RerankSettings, candidates, reranked

SCORES = np.array([0.1, 0.9, 0.5, 0.7, 0.3], np.float32)


def test_candidates_are_the_best_that_are_allowed() -> None:
    assert candidates(SCORES, 3, {1}).tolist() == [3, 2, 4]
    assert candidates(SCORES, 99).tolist() == [1, 3, 2, 4, 0]


def test_what_the_history_speaks_for_comes_first() -> None:
    chosen = candidates(SCORES, 3)
    alone = [-10.0, -30.0, -20.0]  # the second is a rare title
    given = [-10.0, -22.0, -19.0]
    only = RerankSettings(retrieved=0.0)
    assert np.argsort(-reranked(SCORES, chosen, given, alone, only)).tolist() == [3, 2, 1, 4, 0]
    plain = RerankSettings(retrieved=0.0, prior=0.0)
    assert np.argsort(-reranked(SCORES, chosen, given, alone, plain)).tolist() == [1, 2, 3, 4, 0]
    kept = RerankSettings(weight=0.01)
    assert np.argsort(-reranked(SCORES, chosen, given, alone, kept)).tolist() == [1, 3, 2, 4, 0]
