from __future__ import annotations

import numpy as np
import pytest

from recsys.retrieval.fusion import reciprocal_rank_fusion, standardised, sum_of_zscores
from recsys.retrieval.history_scores import faded_sum, fading_weights, nearest, rising_weights

A = np.array([3, 2, 1, 0], np.float32)
B = np.array([0, 10, 0, 0], np.float32)


def test_standardised_has_mean_zero_and_deviation_one() -> None:
    assert np.mean(standardised(A)) == pytest.approx(0, abs=1e-6)
    assert np.std(standardised(A)) == pytest.approx(1, abs=1e-6)
    assert standardised(np.ones(4, np.float32)).tolist() == [0, 0, 0, 0]


def test_sum_of_zscores_does_not_depend_on_scale() -> None:
    assert sum_of_zscores([A * 100, B]) == pytest.approx(sum_of_zscores([A, B * 7]), abs=1e-5)
    assert np.argmax(sum_of_zscores([A, B], [1.0, 0.0])) == 0


def test_reciprocal_ranks_are_added_and_ties_share_a_rank() -> None:
    expected = [1 / 61 + 1 / 63, 1 / 62 + 1 / 61, 1 / 63 + 1 / 63, 1 / 64 + 1 / 63]
    assert reciprocal_rank_fusion([A, B]) == pytest.approx(expected)


def test_weights_of_a_history_end_with_one() -> None:
    assert rising_weights(3, 0.5).tolist() == [0.5, 0.75, 1.0]
    assert fading_weights(3, 0.5).tolist() == [0.25, 0.5, 1.0]
    assert rising_weights(1, 0.5).tolist() == fading_weights(1, 0.5).tolist() == [1.0]


def test_nearest_takes_the_best_history_item_and_prefers_recent_ones() -> None:
    similarities = np.array([[1.0, 0.2, 0.0], [0.3, 0.2, 0.9]], np.float32)
    assert nearest(similarities).tolist() == pytest.approx([1.0, 0.2, 0.9])
    assert nearest(similarities, 0.5).tolist() == pytest.approx([0.5, 0.2, 0.9])
    assert faded_sum(similarities, 0.5).tolist() == pytest.approx([0.8, 0.3, 0.9])
