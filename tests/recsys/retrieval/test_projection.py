from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from recsys.demos import load_demo
from recsys.errors import InputError
from recsys.recommendation import Asked, Recommendation, RecommendedItem
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.projection import catalog_map, principal_axes


def test_axes_are_those_of_an_independent_pca() -> None:
    draw = np.random.default_rng(1)
    vectors = (draw.normal(size=(80, 12)) * np.linspace(3, 0.2, 12)).astype(np.float32)
    axes, explained = principal_axes(vectors)
    other = PCA(n_components=2).fit(vectors)
    assert explained == pytest.approx(float(other.explained_variance_ratio_.sum()), abs=1e-4)
    assert np.abs(axes @ other.components_.T) == pytest.approx(np.eye(2), abs=1e-3)
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in axes)
    assert principal_axes(np.zeros((3, 4), dtype=np.float32))[1] == 0.0


def test_results_history_query_and_answer_are_set_off(demo_catalogs: Catalogs) -> None:
    games, films = load_demo("games").items, load_demo("films").items
    found = Recommendation(
        answer="A lonely walk through ruins.",
        items=(
            RecommendedItem(games["hades"], 0.4, "", "games"),
            RecommendedItem(games["celeste"], 0.3, "", "games"),
        ),
        asked=Asked(
            "games", history=(("games", games["journey"]), ("", films["heat"])), query="hard but fair"
        ),
        done=True,
    )
    drawn = catalog_map(demo_catalogs, "games", found)
    kinds = [point.kind for point in drawn.points]
    assert kinds.count("item") == len(games) - 3
    assert {p.item.id: p.rank for p in drawn.points if p.kind == "result" and p.item} == {
        "hades": 1,
        "celeste": 2,
    }
    assert [p.item.id for p in drawn.points if p.kind == "history" and p.item] == ["journey", "heat"]
    assert kinds[-2:] == ["query", "answer"]
    assert all(-1 <= p.x <= 1 and -1 <= p.y <= 1 for p in drawn.points)
    assert 0 < drawn.explained < 1
    assert drawn.items == len(games)
    assert catalog_map(demo_catalogs, "games", found) == drawn  # the same every time


def test_a_catalogue_that_is_not_indexed_cannot_be_drawn(demo_catalogs: Catalogs) -> None:
    with pytest.raises(InputError, match="cannot be drawn"):
        catalog_map(demo_catalogs, "films")
