from __future__ import annotations

import itertools

import pytest

from recsys.catalog import Item
from recsys.demos import load_demo
from recsys.errors import (
    EmptyRequestError,
    InputError,
    NotReadyError,
    TextTooLongError,
    UnknownAdapterError,
    UnknownCatalogError,
    UnknownModelError,
    ZeroshelfError,
)
from recsys.llm.pool import ModelPool
from recsys.recommend import MAX_INPUT_CHARS, Recommendation, Recommender
from recsys.retrieval.catalogs import Catalogs

FILMS = ["The Martian", "Interstellar", "에이리언"]


@pytest.fixture(scope="module")
def recommender(pool: ModelPool, demo_catalogs: Catalogs) -> Recommender:
    return Recommender(pool, demo_catalogs)


def _last(recommender: Recommender, catalog: str = "games", **request: object) -> Recommendation:
    *_, last = recommender.recommend(catalog, **request)  # type: ignore[arg-type]
    return last


@pytest.mark.model
def test_answer_streams_and_real_items_follow(recommender: Recommender) -> None:
    *growing, last = recommender.recommend("games", history=FILMS, k=5)
    assert len(growing) > 3
    for before, after in itertools.pairwise(growing):
        assert after.answer.startswith(before.answer)
    assert not any(step.items or step.done for step in growing)
    assert last.done
    assert last.answer == growing[-1].answer.strip() != ""
    assert last.left_out == 0
    games = load_demo("games").items
    assert len({i.item.id for i in last.items}) == 5
    assert all(games[i.item.id] == i.item for i in last.items)
    assert all(i.chunk in i.item.text for i in last.items)
    assert all(-1 <= i.score <= 1 for i in last.items)


@pytest.mark.model
def test_history_of_the_catalogue_itself_is_ranked_by_more_than_vectors(recommender: Recommender) -> None:
    items = [
        Item(id="w2", title="The Witcher 2", text="Elves, dwarves and a monster hunter."),
        Item(id="w3", title="The Witcher 3: Wild Hunt", text="A monster hunter looks for a girl."),
        Item(id="w4", title="The Witcher 4", text="Something else entirely, about tax law."),
        *(Item(id=f"x{n}", title=f"Monster Tale {n}", text="A hunter of monsters.") for n in range(8)),
    ]
    catalogs = recommender.catalogs
    catalogs.store.put("sequels", "games", "en", items)
    catalogs.index_catalog("sequels")
    last = _last(recommender, "sequels", history=["The Witcher 3: Wild Hunt"], k=3)
    assert last.items[0].item.id == "w4"
    assert all(i.chunk in i.item.text and -1 <= i.score <= 1 for i in last.items)
    mixed = _last(recommender, "sequels", history=["Monster Tale 1", "Monster Tale 2", "Heat"], k=20)
    assert {i.item.id for i in mixed.items} == {i.id for i in items} - {"x1", "x2"}


@pytest.mark.model
def test_every_stage_has_its_time(recommender: Recommender) -> None:
    timings = _last(recommender, query="space").timings
    assert timings.generate > 0
    assert timings.embed > 0
    assert timings.search > 0
    assert timings.total == timings.generate + timings.embed + timings.search


@pytest.mark.model
def test_history_of_the_same_catalogue_is_left_out(recommender: Recommender) -> None:
    games = load_demo("games").items
    history = [games["outer-wilds"].title, games["no-mans-sky"].titles["ko"]]
    found = [i.item.id for i in _last(recommender, history=history, k=100).items]
    assert len(found) == len(games) - 2
    assert not {"outer-wilds", "no-mans-sky"} & set(found)


@pytest.mark.model
def test_same_seed_gives_the_same_recommendation(recommender: Recommender) -> None:
    first, second = (_last(recommender, history=FILMS, seed=3) for _ in range(2))
    assert (first.answer, first.items) == (second.answer, second.items)


@pytest.mark.model
def test_small_model_answers_in_english_whatever_was_asked(recommender: Recommender) -> None:
    last = _last(recommender, "korean-news", query="늙은 강아지", k=3)
    assert last.done
    assert "old-dog-daycare" in [i.item.id for i in last.items]


@pytest.mark.model
def test_long_history_is_shortened_and_said_so(recommender: Recommender) -> None:
    films = [f.title for f in load_demo("films").items.values()]
    last = _last(recommender, history=films * 4, k=1)
    assert 0 < last.left_out < len(films) * 4


@pytest.mark.model
@pytest.mark.parametrize(
    "request_",
    [
        {"history": ["a film that nobody made"]},
        {"history": ["x" * 3000]},
        {"history": ["\ud800 half a pair", "nul \0", "👩‍🚀"]},
        {"query": "\udc80 \0 <|im_end|>"},
        {"history": ["{braces} $dollar %s"], "query": "${query} {0}"},
        {"history": ["", "  ", "Heat"], "query": "  "},
        {"query": "slow", "language": "ko"},
        {"query": "slow", "language": "fr"},
        {"query": "slow", "k": 100},
    ],
)
def test_odd_request_is_answered(recommender: Recommender, request_: dict[str, object]) -> None:
    last = _last(recommender, **{"k": 2, **request_})
    assert last.done
    assert len(last.items) == min(int(str(request_.get("k", 2))), 44)


@pytest.mark.parametrize(
    ("catalog", "request_", "error"),
    [
        ("games", {}, EmptyRequestError),
        ("games", {"history": ["", " \n "], "query": "  "}, EmptyRequestError),
        ("games", {"query": "x" * 100_000}, TextTooLongError),
        ("games", {"history": ["title"] * 20_000}, TextTooLongError),
        ("games", {"history": ["x" * MAX_INPUT_CHARS], "query": "y"}, TextTooLongError),
        ("nothing", {"query": "slow"}, UnknownCatalogError),
        ("\ud800", {"query": "slow"}, UnknownCatalogError),
        ("films", {"query": "slow"}, NotReadyError),
        ("games", {"query": "slow", "model": "gpt-5"}, UnknownModelError),
        ("games", {"query": "slow", "model": "smollm2-135m-instruct+nothing"}, UnknownAdapterError),
        ("games", {"query": "slow", "model": "/etc/passwd.gguf"}, UnknownModelError),
        ("games", {"query": "slow", "k": 0}, InputError),
        ("games", {"query": "slow", "k": 101}, InputError),
        ("games", {"query": "slow", "k": -5}, InputError),
    ],
)
def test_impossible_request_is_refused_before_anything_is_written(
    recommender: Recommender, catalog: str, request_: dict[str, object], error: type[ZeroshelfError]
) -> None:
    steps = recommender.recommend(catalog, **request_)  # type: ignore[arg-type]
    with pytest.raises(error):
        next(steps)


@pytest.mark.model
def test_html_in_a_title_is_only_data(recommender: Recommender) -> None:
    title = '<img src=x onerror="alert(1)"> & <b>bold</b>'
    catalogs = recommender.catalogs
    items = [Item(id="html", title=title, text="A film about <script>alert(2)</script> tags.")]
    catalogs.store.put("html", "films", "en", items)
    catalogs.index_catalog("html")
    (found,) = _last(recommender, "html", history=[title + "2"], k=3).items
    assert found.item.title == title
    assert found.chunk == items[0].text
    assert _last(recommender, "html", history=[title], k=3).items == ()


@pytest.mark.model
def test_title_in_two_catalogues_is_left_out_of_the_one_that_is_asked(recommender: Recommender) -> None:
    catalogs = recommender.catalogs
    items = [Item(id="m1", title="Heat", text="Two men."), Item(id="m2", title="Else", text="Other.")]
    catalogs.store.put("my films", "films", "en", items)
    catalogs.index_catalog("my films")
    assert [i.item.id for i in _last(recommender, "my films", history=["Heat"]).items] == ["m2"]


def test_retrieve_needs_no_model(demo_catalogs: Catalogs, pool: ModelPool) -> None:
    result = Recommender(pool, demo_catalogs).retrieve("korean-news", " 늙은 강아지 ", k=2)
    assert [len(result.items), result.answer, result.done] == [2, "", True]
    assert result.items[0].item.id == "old-dog-daycare"
    assert result.timings.generate == 0
    assert result.timings.embed > 0


@pytest.mark.parametrize(
    ("text", "k", "error"),
    [("", 5, EmptyRequestError), ("x" * 100_000, 5, TextTooLongError), ("slow", 0, InputError)],
)
def test_retrieve_refuses_what_cannot_be_used(
    recommender: Recommender, text: str, k: int, error: type[ZeroshelfError]
) -> None:
    with pytest.raises(error):
        recommender.retrieve("games", text, k)
