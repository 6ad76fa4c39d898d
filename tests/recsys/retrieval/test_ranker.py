from __future__ import annotations

import numpy as np
import pytest

from recsys.catalog import Item
from recsys.evaluation.workbench import embed_items
from recsys.retrieval.embedders import Embedder
from recsys.retrieval.item_matrix import ItemMatrix, unit
from recsys.retrieval.ranker import CatalogRanker, RankerSettings, Wanted

NOTHING = {"history": 0, "query": 0, "answer": 0, "keywords": 0, "numbers": 0, "series": 0}
ITEMS = [
    Item(id="s", title="Star Voyage", text="A crew crosses deep space.", attributes={"year": 1990}),
    Item(id="s2", title="Star Voyage 2", text="A wedding in a village.", attributes={"year": 2010}),
    Item(id="g", title="Rose Garden", text="A gardener grows roses.", attributes={"year": 1991}),
    Item(id="p", title="Space Pirates", text="Pirates attack a space ship.", attributes={"year": 2020}),
    Item(id="k", title="달의 바다", text="우주선이 달에 내린다.", language="ko", attributes={"year": 2021}),
]


@pytest.fixture(scope="module")
def ranker(embedder: Embedder) -> CatalogRanker:
    return CatalogRanker(ITEMS, embed_items(ITEMS, embedder))


def _order(ranker: CatalogRanker, wanted: Wanted, **changes: float) -> list[str]:
    settings = RankerSettings.model_validate({**NOTHING, "history": 1.0, **changes})
    scores = ranker.scores(wanted, settings)
    return [ITEMS[n].id for n in np.argsort(-scores, kind="stable")]


def _history(ranker: CatalogRanker, *ids: str) -> Wanted:
    places = [next(n for n, item in enumerate(ITEMS) if item.id == wanted) for wanted in ids]
    vectors = ranker.matrix.item_vectors[places] - ranker.matrix.centre
    return Wanted(tuple(ITEMS[n] for n in places), vectors)


def test_each_signal_moves_the_order_its_own_way(ranker: CatalogRanker) -> None:
    wanted = _history(ranker, "s")
    assert _order(ranker, wanted, series=50)[0] == "s2"
    assert _order(ranker, wanted, numbers=50)[:2] == ["s", "g"]
    assert set(_order(ranker, wanted, keywords=50)[:3]) == {"s", "s2", "p"}


def test_recent_items_count_for_more(ranker: CatalogRanker) -> None:
    assert _order(ranker, _history(ranker, "g", "s"), oldest=0.1)[0] == "s"
    assert _order(ranker, _history(ranker, "s", "g"), oldest=0.1)[0] == "g"


def test_query_and_answer_are_signals_too(ranker: CatalogRanker, embedder: Embedder) -> None:
    def vector(text: str) -> np.ndarray:  # type: ignore[type-arg]
        return embedder.embed_queries([text])[0] - ranker.matrix.centre

    query = Wanted(query="우주선과 달", query_vector=vector("우주선과 달"))
    assert _order(ranker, query, query=1.0, keywords=0.5)[0] == "k"
    answer = Wanted(answer_vectors=(vector("growing roses in a garden"),))
    assert _order(ranker, answer, answer=1.0)[0] == "g"


def test_nothing_known_is_zero_everywhere(ranker: CatalogRanker) -> None:
    assert not ranker.scores(Wanted()).any()


def test_signals_stand_alone_and_ranks_can_be_fused(ranker: CatalogRanker) -> None:
    wanted = _history(ranker, "s")
    assert _order(ranker, wanted, history=0, series=1)[0] == "s2"
    assert _order(ranker, wanted, history=0, numbers=1)[:2] == ["s", "g"]
    fused = RankerSettings(fusion="rrf", series=0)
    scores = ranker.scores(wanted, fused)
    assert 0 < scores.min() < scores.max() <= (1.0 + fused.keywords + fused.numbers) / 61 + 1e-6
    assert ITEMS[int(np.argmax(scores))].id == "s"


def test_items_count_by_their_nearest_chunk() -> None:
    vectors = unit(np.array([[1, 0], [0, 1], [1, 1]], np.float32))
    matrix = ItemMatrix(vectors, np.array([0, 2]))
    assert matrix.cosines(np.array([[0, 2]], np.float32))[0] == pytest.approx([1.0, 0.5**0.5])
    assert matrix.item_vectors == pytest.approx(np.array([[0.5, 0.5], [0.5**0.5, 0.5**0.5]]))
    assert matrix.vectors_of(np.array([1, 0])) == pytest.approx(matrix.item_vectors[::-1])
