from __future__ import annotations

import numpy as np
import pytest

from recsys.evaluation.ranking import rank_all

ORDER = np.arange(6)


def test_targets_are_ranked_among_what_is_allowed() -> None:
    scores = np.array([5, 4, 3, 2, 1, 0], np.float32)
    ranked = rank_all(scores, [4, 2], {0}, ORDER)
    assert ranked.ranks.tolist() == [2, 4]
    assert ranked.top.tolist() == [1, 2, 3, 4, 5]
    few = rank_all(scores, [4], (), ORDER, among=np.array([5, 4, 0]))
    assert (few.ranks.tolist(), few.top.tolist()) == ([2], [0, 4, 5])


def test_equal_scores_are_ordered_by_the_permutation() -> None:
    scores = np.zeros(6, np.float32)
    order = np.array([3, 1, 2, 0, 5, 4])
    assert rank_all(scores, [0], (), order).ranks.tolist() == [4]
    assert rank_all(scores, [3], (), order).ranks.tolist() == [1]
    assert rank_all(scores, [0], (), order).top.tolist() == [3, 1, 2, 0, 5, 4]


def test_a_method_that_knows_nothing_ranks_in_the_middle_on_average() -> None:
    scores, ranks = np.zeros(101, np.float32), []
    for seed in range(300):
        order = np.random.default_rng(seed).permutation(101)
        ranks.append(int(rank_all(scores, [7], (), order).ranks[0]))
    assert np.mean(ranks) == pytest.approx(51, abs=6)


def test_ranks_agree_with_a_sorted_list() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        scores = rng.integers(0, 8, 40).astype(np.float32)
        order = rng.permutation(40)
        left_out = set(rng.choice(40, 5, replace=False).tolist())
        target = next(n for n in range(40) if n not in left_out)
        full = sorted((n for n in range(40) if n not in left_out), key=lambda n: (-scores[n], order[n]))
        ranked = rank_all(scores, [target], left_out, order)
        assert ranked.ranks.tolist() == [full.index(target) + 1]
        assert ranked.top.tolist() == full[:10]


def test_scores_of_minus_infinity_come_last() -> None:
    scores = np.array([-np.inf, 1, -np.inf, 2], np.float32)
    assert rank_all(scores, [2], (), np.arange(4)).ranks.tolist() == [4]
