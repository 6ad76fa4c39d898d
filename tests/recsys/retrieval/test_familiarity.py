from __future__ import annotations

import numpy as np
import pytest

from recsys.retrieval.familiarity import familiarity


def test_length_alone_says_nothing() -> None:
    assert familiarity([-5, -10, -15, -20], [1, 2, 3, 4]) == pytest.approx(np.zeros(4), abs=1e-5)


def test_likelier_than_its_length_is_better_known() -> None:
    found = familiarity([-5, -4, -15, -26], [1, 2, 3, 4])
    assert np.argmax(found) == 1
    assert np.mean(found) == pytest.approx(0, abs=1e-6)
    assert np.std(found) == pytest.approx(1, abs=1e-5)
