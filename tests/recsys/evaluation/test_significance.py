from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from recsys.evaluation.significance import compare, holm, interval, median_interval, permutation_p

RNG = np.random.default_rng(5)
FIRST = np.where(RNG.random(120) < 0.3, RNG.random(120), 0.0)
SECOND = np.clip(FIRST + RNG.normal(0.03, 0.15, 120), 0, 1)


def test_interval_agrees_with_scipys_bootstrap() -> None:
    theirs = stats.bootstrap((FIRST,), np.mean, method="percentile", n_resamples=5000, rng=1)
    assert interval(FIRST) == pytest.approx(
        (theirs.confidence_interval.low, theirs.confidence_interval.high), abs=0.01
    )


def test_interval_of_the_median_agrees_with_scipys_bootstrap() -> None:
    ranks = RNG.integers(1, 1000, 150).astype(float)
    theirs = stats.bootstrap((ranks,), np.median, method="percentile", n_resamples=5000, rng=1)
    low, high = median_interval(ranks)
    assert low == pytest.approx(theirs.confidence_interval.low, abs=40)
    assert high == pytest.approx(theirs.confidence_interval.high, abs=40)


def test_p_agrees_with_scipys_permutation_test() -> None:
    theirs = stats.permutation_test(
        (FIRST - SECOND,), np.mean, permutation_type="samples", n_resamples=10_000, rng=2
    )
    assert permutation_p(FIRST - SECOND) == pytest.approx(theirs.pvalue, abs=0.02)


def test_exact_p_of_few_cases() -> None:
    assert permutation_p(np.array([1.0, 1, 1, 1, 0, 0])) == pytest.approx(2 / 16, abs=0.02)
    assert permutation_p(np.zeros(5)) == 1.0


def test_there_is_no_difference_where_there_is_none_in_about_one_test_of_twenty() -> None:
    found = [permutation_p(np.random.default_rng(seed).normal(size=60), seed) < 0.05 for seed in range(200)]
    assert 0.01 < np.mean(found) < 0.11


def test_comparison_is_of_pairs_and_has_a_direction() -> None:
    up, down = compare(SECOND, FIRST), compare(FIRST, SECOND)
    assert up.difference == pytest.approx(np.mean(SECOND) - np.mean(FIRST))
    assert up.low < up.difference < up.high
    assert (up.difference, up.p) == (pytest.approx(-down.difference), down.p)
    assert compare(FIRST, FIRST).p == 1.0


def test_holm_agrees_with_its_definition() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_same_seed_gives_the_same_numbers() -> None:
    assert compare(FIRST, SECOND, 3) == compare(FIRST, SECOND, 3)
    assert interval(FIRST, 3) != interval(FIRST, 4)
