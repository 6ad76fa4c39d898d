"""Intervals and paired tests over cases, seeded.

A case's value under one method is compared with the same case's under another, so that hard and easy
cases do not drown the difference (Sakai, "Statistical Reform in Information Retrieval?", 2014; Smucker
et al., "A Comparison of Statistical Significance Tests for IR Evaluation", 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
"""One number a case: shape (cases,)."""

RESAMPLES = 2000
PERMUTATIONS = 10_000
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Comparison:
    """A mean paired difference, its 95% bootstrap interval and the two-sided p of the permutation test."""

    difference: float
    low: float
    high: float
    p: float


def interval(values: Values, seed: int = 0) -> tuple[float, float]:
    """The 95% percentile bootstrap interval of the mean over cases."""
    low, high = np.quantile(_resampled_means(values, seed), [0.025, 0.975])
    return float(low), float(high)


def median_interval(values: Values, seed: int = 0) -> tuple[float, float]:
    """The 95% percentile bootstrap interval of the median."""
    rng = np.random.default_rng(seed)
    medians = [
        np.median(values[rng.integers(0, len(values), (_AT_ONCE, len(values)))], axis=1)
        for _ in range(RESAMPLES // _AT_ONCE)
    ]
    low, high = np.quantile(np.concatenate(medians), [0.025, 0.975])
    return float(low), float(high)


def compare(first: Values, second: Values, seed: int = 0) -> Comparison:
    """`first` minus `second`, case by case (both of shape (cases,))."""
    differences = first - second
    low, high = interval(differences, seed)
    return Comparison(float(np.mean(differences)), low, high, permutation_p(differences, seed))


def permutation_p(differences: Values, seed: int = 0) -> float:
    """Two-sided p of the paired permutation test: each difference could as well have the other sign.

    (1 + as extreme) / (1 + permutations), so never 0 (Phipson and Smyth, 2010). 1 where all are 0.
    """
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    observed = abs(float(np.sum(moved))) * (1 - 1e-12)
    rng = np.random.default_rng(seed)
    extreme = 0
    for _ in range(PERMUTATIONS // _AT_ONCE):
        signs = rng.integers(0, 2, (_AT_ONCE, len(moved)), dtype=np.int8) * 2.0 - 1.0
        extreme += int(np.count_nonzero(np.abs(signs @ moved) >= observed))
    return (1 + extreme) / (1 + PERMUTATIONS)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values corrected for their number (Holm, 1979), in their order."""
    count = len(p_values)
    corrected = [1.0] * count
    running = 0.0
    for place, index in enumerate(sorted(range(count), key=lambda i: p_values[i])):
        running = max(running, min(1.0, (count - place) * p_values[index]))
        corrected[index] = running
    return corrected


def _resampled_means(values: Values, seed: int) -> Values:
    rng = np.random.default_rng(seed)
    count = len(values)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    means: Values = weights @ values / count
    return means
