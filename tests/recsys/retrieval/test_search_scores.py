from __future__ import annotations

import numpy as np
import pytest

from recsys.catalog import Item
from recsys.evaluation.workbench import embed_items
from recsys.retrieval.embedders import Embedder, Vectors
from recsys.retrieval.item_matrix import unit
from recsys.retrieval.ranker import CatalogRanker
from recsys.retrieval.search_scores import search_scores

ITEMS = [
    Item(id="rates", title="기준금리 동결", text="한국은행이 금리를 그대로 두었다.", language="ko"),
    Item(id="match", title="대표팀 역전승", text="축구 대표팀이 후반에 두 골을 넣었다.", language="ko"),
    Item(id="rain", title="내일 전국에 비", text="기상청은 강한 비를 예보했다.", language="ko"),
    Item(id="loans", title="은행 대출 늘어", text="가계 대출이 크게 늘었다.", language="ko"),
]


@pytest.fixture(scope="module")
def ranker(embedder: Embedder) -> CatalogRanker:
    return CatalogRanker(ITEMS, embed_items(ITEMS, embedder))


def towards(ranker: CatalogRanker, embedder: Embedder, text: str) -> Vectors:
    vector: Vectors = unit(embedder.embed_queries([text])[0] - ranker.matrix.centre)
    return vector


def test_without_words_the_order_is_that_of_the_search(ranker: CatalogRanker, embedder: Embedder) -> None:
    vector = towards(ranker, embedder, "축구 경기")
    searched = ranker.matrix.centred_cosines(vector[None])[0]
    for scores in (search_scores(ranker, vector, []), search_scores(ranker, vector, ["대출"], keywords=0)):
        assert np.argsort(-scores).tolist() == np.argsort(-searched).tolist()


def test_words_of_each_text_count_alike(ranker: CatalogRanker, embedder: Embedder) -> None:
    vector = towards(ranker, embedder, "축구 경기")
    plain = search_scores(ranker, vector, [])
    once = search_scores(ranker, vector, ["가계 대출 " * 50, "기상청의 비 예보"], keywords=1.0)
    gained = dict(zip([item.id for item in ITEMS], (once - plain).tolist(), strict=True))
    assert gained["loans"] == pytest.approx(gained["rain"], abs=0.35)
    assert min(gained["loans"], gained["rain"]) > max(gained["rates"], gained["match"])


def test_words_that_no_item_has_change_nothing(ranker: CatalogRanker, embedder: Embedder) -> None:
    vector = towards(ranker, embedder, "축구 경기")
    assert np.array_equal(search_scores(ranker, vector, ["zzz"]), search_scores(ranker, vector, []))
