from __future__ import annotations

import itertools
import threading

import pytest

from recsys.catalog import Item, ItemRef
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
from recsys.person import MAX_INPUT_CHARS
from recsys.recommend import NO_MODEL, Recommendation, Recommender
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.settings import RetrievalSettings, retrieval_settings

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
    assert timings.rerank == 0
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


def test_no_answers_is_retrieval_alone(recommender: Recommender) -> None:
    (only,) = recommender.recommend(
        "games", history=FILMS, model="no such model", k=3, settings=RetrievalSettings(answers=0)
    )
    assert (only.answer, only.done, only.timings.generate) == ("", True, 0.0)
    assert len(only.items) == 3


@pytest.mark.model
def test_several_answers_are_averaged_and_the_first_is_shown(recommender: Recommender) -> None:
    one = _last(recommender, query="space", k=40)
    four = _last(recommender, query="space", k=40, settings=RetrievalSettings(answers=4))
    assert four.answer
    scores = [[i.score for i in last.items] for last in (one, four)]
    assert scores[0] != scores[1]
    alone = retrieval_settings({"answers": 4, "weights": {"answer": 0}, "order": "search"})
    plain = _last(recommender, query="space", k=40, settings=alone)
    retrieved = recommender.retrieve("games", "space", k=40)
    assert [i.item.id for i in plain.items] == [i.item.id for i in retrieved.items]


@pytest.mark.model
@pytest.mark.parametrize("rerank", ["likelihood", "listwise"])
def test_model_puts_what_was_found_into_its_own_order(recommender: Recommender, rerank: str) -> None:
    last = _last(recommender, history=FILMS, settings=retrieval_settings({"rerank": rerank}))
    assert len({i.item.id for i in last.items}) == 10
    assert last.timings.rerank > 0
    assert last.timings.total > last.timings.generate + last.timings.embed + last.timings.search


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


def test_retrieval_alone_asks_no_model(recommender: Recommender) -> None:
    found = _last(recommender, history=["Interstellar"], query="space", model=NO_MODEL, k=3)
    assert (found.answer, found.timings.generate, found.mentions) == ("", 0.0, ())
    assert len(found.items) == 3
    assert found.id != _last(recommender, query="space", model=NO_MODEL, k=3).id


def test_items_of_several_catalogues_and_titles_mix(recommender: Recommender) -> None:
    history = [
        ItemRef("games", "journey", "저니"),
        "A film that nobody made",
        ItemRef("korean-news", "old-dog-daycare"),
        ItemRef("gone", "x", "Hades"),
        ItemRef("", "", "Typed"),
    ]
    found = _last(recommender, "games", history=history, model=NO_MODEL, k=50)
    assert found.asked is not None
    assert [(catalog, item.title if not catalog else item.id) for catalog, item in found.asked.history] == [
        ("games", "journey"), ("", "A film that nobody made"), ("korean-news", "old-dog-daycare"),
        ("games", "hades"), ("", "Typed"),
    ]  # fmt: skip
    assert not {"journey", "hades"} & {one.item.id for one in found.items}


def test_each_item_says_what_it_is_near_to(recommender: Recommender) -> None:
    history = [ItemRef("games", "outer-wilds"), ItemRef("korean-news", "soy-sauce-jars-class")]
    found = _last(recommender, "korean-news", history=history, query="antarctic winter", model=NO_MODEL, k=48)
    for one in found.items:
        assert [r.score for r in one.reasons] == sorted((r.score for r in one.reasons), reverse=True)
        assert [r.kind for r in one.reasons].count("history") == 2
    first = next(one for one in found.items if one.item.id == "antarctic-winter-crew")
    assert first.reasons[0].kind == "query"
    for one in found.items:
        assert all(one.chunk[mark.start : mark.end].strip() for mark in one.marks)


def test_more_like_an_item_of_this_or_another_catalogue(recommender: Recommender) -> None:
    found = recommender.more_like("games", ItemRef("games", "hades"), 5)
    assert len(found.items) == 5
    assert "hades" not in [one.item.id for one in found.items]
    other = recommender.more_like("korean-news", ItemRef("games", "football-manager-2024"), 8)
    assert {"baseball-weekday-crowd", "island-girls-football"} & {one.item.id for one in other.items}
    with pytest.raises(InputError, match="no item"):
        recommender.more_like("games", ItemRef("games", "nothing"), 5)


def test_passages_of_one_item_may_come_several_times(recommender: Recommender) -> None:
    found = recommender.search_chunks("games", "a lonely walk", 100)
    assert len(found.items) > len({one.item.id for one in found.items})
    scores = [one.score for one in found.items]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.model
def test_the_prompt_is_what_the_model_read(recommender: Recommender) -> None:
    asked = _last(recommender, history=["Interstellar"], query="something slow", k=1).asked
    assert asked is not None
    assert asked.model == "smollm2-135m-instruct"
    assert "<|im_start|>" in asked.prompt  # its own chat template
    assert asked.instruction in asked.prompt
    assert "something slow" in asked.instruction


@pytest.mark.model
def test_the_model_is_shown_what_would_be_found_without_it(recommender: Recommender) -> None:
    alone = _last(recommender, history=FILMS, query="space", model=NO_MODEL, k=5)
    titles = [one.item.title for one in alone.items]
    asked = _last(recommender, history=FILMS, query="space", k=2, language="en").asked
    assert asked is not None
    lines = asked.instruction.splitlines()
    assert [line.split(" (")[0] for line in lines if line[:1].isdigit()] == [
        f"{number}. {title}" for number, title in enumerate(titles, 1)
    ]
    settings = RetrievalSettings(candidates=0)
    from_memory = _last(recommender, history=FILMS, query="space", k=2, settings=settings).asked
    assert from_memory is not None
    assert not [title for title in titles if title in from_memory.instruction]


@pytest.mark.model
def test_a_stopped_answer_still_leads_to_items(recommender: Recommender) -> None:
    cancel = threading.Event()
    steps = []
    for step in recommender.recommend("games", query="a story of the sea", k=3, cancel=cancel):
        steps.append(step)
        if step.answer:
            cancel.set()
    assert steps[-1].done
    assert steps[-1].stopped
    assert len(steps[-1].items) == 3
    assert len(steps) < 12  # far from the sixteen tokens that it would have written
