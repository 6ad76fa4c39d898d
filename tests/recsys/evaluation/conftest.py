"""A small dataset in the layout of MovieLens: 40 people, 30 films, written by the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.catalog import Item
from recsys.domains.registry import open_dataset
from recsys.evaluation.cases import EvaluationData
from recsys.evaluation.splits import split_dataset
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.embedders import Embedder

FILMS = 30
PEOPLE = 40


@pytest.fixture(scope="session")
def movielens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everybody rates films of their own half of the catalogue, later people later."""
    folder = tmp_path_factory.mktemp("movielens")
    topics = ["Space War", "Quiet Garden"]
    films = [
        f"{n},{topics[n % 2]} {n} ({1960 + n}),{'Sci-Fi' if n % 2 == 0 else 'Drama'}" for n in range(FILMS)
    ]
    rng = np.random.default_rng(3)
    ratings = []
    for user in range(PEOPLE):
        mine = [n for n in range(FILMS) if n % 2 == user % 2]
        for step, film in enumerate(rng.permutation(mine)[:13].tolist()):
            stars = 2.0 if step == 5 else 4.5
            ratings.append(f"{user},{film},{stars},{1_000_000 + 500 * user + 10 * step}")
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "\n".join(films) + "\n", encoding="utf-8")
    (folder / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n" + "\n".join(ratings) + "\n", encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="session")
def data(movielens: Path) -> EvaluationData:
    """Its cases: everybody's last positive."""
    return split_dataset(open_dataset("movielens", movielens), users=100, seed=0, split="last")


@pytest.fixture(scope="session")
def bench(data: EvaluationData, embedder: Embedder) -> Workbench:
    """With the real embedder."""
    return Workbench(data, embedder, seed=0)


@pytest.fixture
def items() -> tuple[Item, ...]:
    """Ten films, for data that a test makes by hand."""
    return tuple(Item(id=f"f{n}", title=f"Film {n}", domain="films") for n in range(10))
