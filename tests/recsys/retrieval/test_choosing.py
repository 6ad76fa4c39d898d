from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from recsys.catalog import Item
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.choosing import Rerank, Sought, choose
from recsys.retrieval.embedders import Embedder
from recsys.retrieval.hyde import hyde_vector
from recsys.retrieval.keywords import Scores
from recsys.retrieval.settings import RetrievalSettings, retrieval_settings
from recsys.settings import Paths

ITEMS = [
    Item(id="mars", title="Alone on Mars", text="An astronaut is left alone on Mars and grows food."),
    Item(id="mars-2", title="Alone on Mars!", text="An astronaut is left alone on Mars and grows food."),
    Item(id="station", title="The Station", text="A crew repairs a space station above the Earth."),
    Item(id="moon", title="달의 바다", text="우주비행사가 달에 내린다.", language="ko"),
    Item(id="soup", title="Soup", text="A cook opens a small restaurant in a village."),
    Item(id="station-2", title="The Station 2", text="A tax inspector visits a cheese factory."),
]


@pytest.fixture(scope="module")
def catalogs(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Catalogs]:
    catalogs = Catalogs(Paths(tmp_path_factory.mktemp("home")), embedder)
    catalogs.store.put("films", "films", "en", ITEMS)
    catalogs.index_catalog("films")
    yield catalogs
    catalogs.close()


def _chosen(
    catalogs: Catalogs,
    query: str = "",
    *history: str,
    k: int = 4,
    by_model: Rerank | None = None,
    **changes: object,
) -> list[str]:
    settings = retrieval_settings(changes)
    items = {item.id: item for item in ITEMS}
    person = tuple(("films", items[name]) for name in history)
    vector = hyde_vector(catalogs.index, catalogs.embedder, target="films", history=person, query=query)
    sought = Sought("films", vector, person, query)
    return [item.id for item, _ in choose(catalogs, sought, k, settings, by_model)]


def test_near_duplicates_of_one_title_are_one(catalogs: Catalogs) -> None:
    found = _chosen(catalogs, "an astronaut alone on Mars", k=6)
    assert found[0] in ("mars", "mars-2")
    assert len(found) == len(ITEMS) - 1
    both = _chosen(catalogs, "an astronaut alone on Mars", k=6, diversity={"duplicate": 2.0})
    assert set(both[:2]) == {"mars", "mars-2"}
    assert len(both) == len(ITEMS)


def test_collapsing_leaves_as_many_as_were_asked_for(catalogs: Catalogs) -> None:
    assert len(_chosen(catalogs, "an astronaut alone on Mars", k=2)) == 2


def test_marginal_relevance_brings_something_else_forward(catalogs: Catalogs) -> None:
    alike = {"mars", "mars-2"}
    other = _chosen(catalogs, "alone on Mars", k=6, diversity={"duplicate": 2.0, "mmr": 0.5})
    assert other[0] in alike
    assert other[1] not in alike
    assert set(other) == {item.id for item in ITEMS}


def test_history_of_the_catalogue_is_ordered_by_signals_unless_told_otherwise(catalogs: Catalogs) -> None:
    only_series = {"history": 0, "keywords": 0, "numbers": 0, "series": 1}
    by_series = ["station-2", "mars", "mars-2", "moon", "soup"]  # its sequel, then all others as they come
    changes = {"signals": only_series, "diversity": {"duplicate": 2.0}}
    assert _chosen(catalogs, "", "station", k=5, **changes) == by_series
    by_vector = _chosen(catalogs, "", "station", k=5, order="search", **changes)
    assert by_vector != by_series
    assert set(by_vector) == set(by_series)


def test_request_alone_can_be_ordered_by_signals_too(catalogs: Catalogs) -> None:
    by_words = {"history": 0, "query": 1, "keywords": 50}
    assert _chosen(catalogs, "tax inspector", k=1, order="signals", signals=by_words) == ["station-2"]
    assert _chosen(catalogs, "달에 간 우주비행사", k=1, order="signals", signals=by_words) == ["moon"]


def test_answers_are_a_signal_where_they_have_a_weight(catalogs: Catalogs) -> None:
    vector = hyde_vector(catalogs.index, catalogs.embedder, target="films", query="a film")
    sought = Sought("films", vector, (), "a film", ("A cook opens a restaurant.",))
    settings = retrieval_settings({"order": "signals", "signals": {"answer": 50, "keywords": 0}})
    assert choose(catalogs, sought, 1, settings)[0][0].id == "soup"


@pytest.mark.parametrize("order", ["search", "signals"])
def test_model_orders_the_first_items_and_no_others(catalogs: Catalogs, order: str) -> None:
    seen: list[list[str]] = []

    def backwards(items: Sequence[Item], scores: Scores) -> Scores:
        seen.append([item.id for item in items])
        assert list(scores) == sorted(scores, reverse=True)
        return np.arange(len(items), dtype=np.float32) - 100

    changes = {"order": order, "diversity": {"duplicate": 2.0}}
    plain = _chosen(catalogs, "space", k=6, **changes)
    settings = {**changes, "rerank": "listwise", "shown": 3}
    found = _chosen(catalogs, "space", k=6, by_model=backwards, **settings)
    assert seen == [plain[:3]]
    assert found == [*plain[2::-1], *plain[3:]]


def test_every_item_comes_with_its_passage(catalogs: Catalogs) -> None:
    vector = hyde_vector(catalogs.index, catalogs.embedder, target="films", query="a village restaurant")
    for settings in (RetrievalSettings(order="search"), RetrievalSettings(order="signals")):
        found = choose(catalogs, Sought("films", vector, (), "a village restaurant"), 3, settings)
        assert all(hit.item_id == item.id and hit.chunk in item.text for item, hit in found)


def test_catalogue_that_is_empty_has_nothing(tmp_path: Path, embedder: Embedder) -> None:
    catalogs = Catalogs(Paths(tmp_path), embedder)
    vector = np.ones(embedder.dimension, np.float32)
    catalogs.store.put("none", "films", "en", [])
    assert choose(catalogs, Sought("none", vector), 3, RetrievalSettings()) == []
    catalogs.close()
