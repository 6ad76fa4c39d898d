from __future__ import annotations

import numpy as np
import pytest

from recsys.catalog import Item
from recsys.retrieval.diversity import DiversitySettings, diverse
from recsys.retrieval.nearness import logarithm

ITEMS = tuple(
    Item(id=str(n), title=title) for n, title in enumerate(["Dune", "DUNE!", "Emma", "Dune Messiah", "Heat"])
)
SCORES = np.array([5, 4, 1, 3.5, 0], np.float32)
VECTORS = np.array([[1, 0], [1, 0.01], [0, 1], [1, 0.02], [-1, 0]], np.float32)
CHOSEN = np.array([0, 1, 3, 2, 4])


def test_of_editions_of_one_title_the_best_is_kept() -> None:
    assert diverse(ITEMS, CHOSEN, SCORES, VECTORS, DiversitySettings(duplicate=0.9)).tolist() == [0, 3, 2, 4]
    assert diverse(ITEMS, CHOSEN, SCORES, VECTORS, DiversitySettings()).tolist() == CHOSEN.tolist()


def test_same_title_of_something_else_is_kept() -> None:
    apart = VECTORS.copy()
    apart[1] = [0, -1]
    assert diverse(ITEMS, CHOSEN, SCORES, apart, DiversitySettings(duplicate=0.9)).tolist() == CHOSEN.tolist()


def test_marginal_relevance_puts_other_things_between_like_ones() -> None:
    some = diverse(ITEMS, CHOSEN, SCORES, VECTORS, DiversitySettings(mmr=0.5, duplicate=0.9))
    assert some.tolist() == [0, 2, 4, 3]
    assert diverse(ITEMS, CHOSEN, SCORES, VECTORS, DiversitySettings(mmr=0.01)).tolist() == [0, 1, 3, 2, 4]
    assert diverse(ITEMS, CHOSEN[:1], SCORES, VECTORS, DiversitySettings(mmr=0.5)).tolist() == [0]


def test_prior_is_the_logarithm_of_an_attribute_and_the_mean_where_it_is_missing() -> None:
    items = [Item(id=str(n), title="x", attributes={"ratings": n}) for n in (0, 99)]
    found = logarithm([*items, Item(id="c", title="y")], "ratings")
    assert found == pytest.approx([0, np.log(100), np.log(100) / 2])
    assert not logarithm(items, "nothing").any()
