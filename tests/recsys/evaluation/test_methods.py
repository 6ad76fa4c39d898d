from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.catalog import Item
from recsys.errors import InputError
from recsys.evaluation.cases import Case, EvaluationData
from recsys.evaluation.methods.ease import Ease
from recsys.evaluation.methods.item_knn import ItemKNN
from recsys.evaluation.methods.popularity import Popularity
from recsys.evaluation.methods.registry import METHODS, check_methods, usual_methods
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.embedders import Embedder

WITHOUT_MODEL = [name for name, spec in METHODS.items() if not spec.model]


@pytest.fixture
def dense(items: tuple[Item, ...]) -> np.ndarray:  # type: ignore[type-arg]
    return (np.random.default_rng(1).random((60, len(items))) < 0.4).astype(np.float32)


@pytest.fixture
def hand_made(items: tuple[Item, ...], dense: np.ndarray, embedder: Embedder) -> Workbench:  # type: ignore[type-arg]
    case = Case("u", (1, 4), (7,))
    data = EvaluationData("hand", "films", items, items, (case,), "", sp.csr_array(dense))
    return Workbench(data, embedder)


def test_item_knn_agrees_with_the_dense_formula(hand_made: Workbench, dense: np.ndarray) -> None:  # type: ignore[type-arg]
    norms = np.sqrt(dense.sum(0))
    similar = (dense.T @ dense) / (np.outer(norms, norms) + 10.0)
    np.fill_diagonal(similar, 0)
    scores = ItemKNN(hand_made).scores(hand_made.data.cases[0])
    assert scores == pytest.approx(similar[1] + similar[4], abs=1e-5)


def test_ease_solves_the_ridge_regression_of_each_item(
    hand_made: Workbench,
    dense: np.ndarray,  # type: ignore[type-arg]
) -> None:
    """Column j regresses item j on the others: Steck's closed form has to be the solution of that."""
    scores = Ease(hand_made).scores(Case("u", (1, 4), (7,)))
    for item in (0, 7, 9):
        others = [n for n in range(dense.shape[1]) if n != item]
        x = dense[:, others].astype(np.float64)
        weights = np.linalg.solve(x.T @ x + 200.0 * np.eye(len(others)), x.T @ dense[:, item])
        assert scores[item] == pytest.approx(weights[others.index(1)] + weights[others.index(4)], abs=1e-4)


def test_popularity_counts_people(hand_made: Workbench, dense: np.ndarray) -> None:  # type: ignore[type-arg]
    assert Popularity(hand_made).scores(hand_made.data.cases[0]) == pytest.approx(dense.sum(0))


@pytest.mark.parametrize("name", WITHOUT_MODEL)
def test_method_scores_every_item_the_same_twice(bench: Workbench, name: str) -> None:
    first, second = METHODS[name].make(bench), METHODS[name].make(bench)
    for case in bench.data.cases[:3]:
        scores = first.scores(case)
        assert scores.shape == (len(bench.data.items),)
        assert not np.isnan(scores).any()
        assert np.array_equal(scores, second.scores(case))


@pytest.mark.parametrize("name", [n for n in WITHOUT_MODEL if n not in ("random", "popularity")])
def test_method_finds_the_half_of_the_catalogue_that_a_person_likes(bench: Workbench, name: str) -> None:
    method, right = METHODS[name].make(bench), []
    for case in bench.data.cases:
        scores = method.scores(case).astype(np.float64)
        scores[list(case.history)] = -np.inf
        right += [n % 2 == case.targets[0] % 2 for n in np.argsort(-scores)[:3]]
    assert np.mean(right) > 0.8


def test_only_methods_that_learn_from_users_are_not_zero_shot(bench: Workbench) -> None:
    assert {n for n, s in METHODS.items() if s.in_domain} == {"popularity", "item-knn", "ease"}
    without_users = EvaluationData("x", "films", bench.data.items, bench.data.items, (), "")
    assert not {"popularity", "item-knn", "ease"} & set(usual_methods(without_users))
    with pytest.raises(InputError, match="has none"):
        check_methods(("ease",), without_users)
    with pytest.raises(InputError, match="no method called 'nothing'"):
        check_methods(("nothing",), bench.data)
