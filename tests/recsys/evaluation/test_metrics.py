from __future__ import annotations

import importlib.util
import math

import numpy as np
import pytest

from recsys.evaluation.metrics.coverage import coverage
from recsys.evaluation.metrics.gini import gini
from recsys.evaluation.metrics.hit_rate import hit_rate
from recsys.evaluation.metrics.intra_list import intra_list_similarity
from recsys.evaluation.metrics.ndcg import ndcg
from recsys.evaluation.metrics.popular_share import popular_items, popular_share
from recsys.evaluation.metrics.reciprocal_rank import reciprocal_rank
from recsys.evaluation.ranking import rank_all

RNG = np.random.default_rng(11)
CASES = 40
ITEMS = 60


def _random_cases() -> list[tuple[np.ndarray, list[int], np.ndarray]]:  # type: ignore[type-arg]
    cases = []
    for _ in range(CASES):
        scores = RNG.random(ITEMS).astype(np.float32)
        targets = RNG.choice(ITEMS, int(RNG.integers(1, 6)), replace=False).tolist()
        cases.append((scores, targets, rank_all(scores, targets, (), np.arange(ITEMS)).ranks))
    return cases


def test_ndcg_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    for scores, targets, ranks in _random_cases():
        truth = np.zeros(ITEMS)
        truth[targets] = 1
        assert ndcg(ranks, 10) == pytest.approx(ndcg_score([truth], [scores], k=10))


def test_metrics_agree_with_their_definitions() -> None:
    for scores, targets, ranks in _random_cases():
        full = np.argsort(-scores).tolist()
        for k in (1, 5, 10, 50):
            assert hit_rate(ranks, k) == float(bool(set(full[:k]) & set(targets)))
        assert reciprocal_rank(ranks) == 1 / (1 + min(full.index(t) for t in targets))
        gain = sum(1 / math.log2(2 + place) for place, item in enumerate(full[:10]) if item in targets)
        best = sum(1 / math.log2(2 + place) for place in range(min(10, len(targets))))
        assert ndcg(ranks, 10) == pytest.approx(gain / best)


@pytest.mark.skipif(importlib.util.find_spec("ranx") is None, reason="ranx is not installed")
def test_metrics_agree_with_ranx() -> None:
    from ranx import Qrels, Run, evaluate  # type: ignore[import-not-found]

    cases = _random_cases()
    truth = {f"q{n}": {f"d{t}": 1 for t in targets} for n, (_, targets, _) in enumerate(cases)}
    run = {
        f"q{n}": {f"d{i}": float(s) for i, s in enumerate(scores)} for n, (scores, _, _) in enumerate(cases)
    }
    theirs = evaluate(Qrels(truth), Run(run), ["hit_rate@5", "ndcg@10", "mrr"])
    ranks = [one for _, _, one in cases]
    assert np.mean([hit_rate(r, 5) for r in ranks]) == pytest.approx(theirs["hit_rate@5"])
    assert np.mean([ndcg(r, 10) for r in ranks]) == pytest.approx(theirs["ndcg@10"])
    assert np.mean([reciprocal_rank(r) for r in ranks]) == pytest.approx(theirs["mrr"])


def test_gini_agrees_with_the_mean_absolute_difference() -> None:
    lists = RNG.integers(0, 25, (30, 10))
    counts = np.bincount(lists.ravel(), minlength=25)
    expected = np.abs(counts[:, None] - counts[None, :]).sum() / (2 * 25 * 25 * counts.mean())
    assert gini(lists, 25) == pytest.approx(expected)
    assert gini(np.arange(25).reshape(5, 5), 25) == pytest.approx(0)
    assert gini(np.zeros((5, 5), np.int64), 25) == pytest.approx(24 / 25)


def test_coverage_counts_items_once() -> None:
    assert coverage(np.array([[0, 1], [1, 2]]), 12) == 0.25


def test_intra_list_similarity_is_the_mean_of_all_pairs() -> None:
    vectors = RNG.normal(size=(8, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    top = np.array([1, 4, 6])
    pairs = [float(vectors[a] @ vectors[b]) for a, b in ((1, 4), (1, 6), (4, 6))]
    assert intra_list_similarity(top, vectors) == pytest.approx(np.mean(pairs), abs=1e-6)
    assert intra_list_similarity(np.array([3]), vectors) == 0.0


def test_popular_items_are_a_fifth_of_those_that_occur() -> None:
    counts = np.array([9.0, 0, 5, 1, 1, 1, 1, 1, 1, 1, 1])
    assert np.flatnonzero(popular_items(counts)).tolist() == [0, 2]
    assert popular_share(np.array([[0, 1], [2, 3]]), popular_items(counts)) == 0.5
    assert not popular_items(np.zeros(4)).any()
