from __future__ import annotations

import pytest

from recsys.catalog import Item
from recsys.demos import load_demo
from recsys.mentions import MAX_MENTIONS, Mention, MentionFinder
from recsys.retrieval.catalogs import Catalogs


@pytest.fixture(scope="module")
def finder(demo_catalogs: Catalogs) -> MentionFinder:
    return MentionFinder(demo_catalogs)


def names(mentions: tuple[Mention, ...]) -> list[tuple[str, str]]:
    return [(m.name, m.item.id if m.item else "") for m in mentions]


def test_several_names_in_one_answer(finder: MentionFinder) -> None:
    answer = (
        "They like open worlds, so “Elden Ring”, Hollow Knight and *Outer Wilds* come to mind. "
        "“Dragon's Last Waltz” would be good as well. Hades fits: gods and quick fights."
    )
    found = finder.find(answer, "games")
    assert names(found) == [
        ("Elden Ring", "elden-ring"),
        ("Hollow Knight", "hollow-knight"),
        ("Outer Wilds", "outer-wilds"),
        ("Dragon's Last Waltz", ""),
        ("Hades", "hades"),
    ]
    assert all(answer[m.start : m.end] == m.name for m in found)


def test_korean_names_with_particles(finder: MentionFinder) -> None:
    answer = "모험을 좋아합니다. 엘든 링이 잘 맞고, 《없는 게임》도 좋겠습니다. 이런 이야기가 어울립니다."
    assert names(finder.find(answer, "games")) == [("엘든 링", "elden-ring"), ("없는 게임", "")]


def test_common_words_are_no_names(finder: MentionFinder) -> None:
    """Journey, Portal and Celeste are games; a journey is none."""
    assert finder.find("A journey through a portal. Journey after journey, they walk on.", "games") == ()
    assert names(finder.find("They loved Journey, and the silence of it.", "games")) == [
        ("Journey", "journey")
    ]


def test_what_the_query_says_is_no_name(finder: MentionFinder) -> None:
    answer = "Somebody who asks for “Something Slow” wants quiet."
    assert names(finder.find(answer, "games")) == [("Something Slow", "")]
    assert finder.find(answer, "games", query="something slow for tonight") == ()


def test_items_of_the_history_are_told(finder: MentionFinder) -> None:
    hades = load_demo("games").items["hades"]
    found = finder.find("After Celeste and Hades, something calmer.", "games", [("games", hades)])
    assert [(m.name, m.known) for m in found] == [("Celeste", False), ("Hades", True)]


def test_the_target_comes_first_then_the_history_then_the_others(
    finder: MentionFinder, demo_catalogs: Catalogs
) -> None:
    twin = Item(id="twin", title="Elden Ring", text="A book of the same name.", domain="books")
    demo_catalogs.store.put("twins", "books", "en", [twin])
    demo_catalogs.index_catalog("twins")
    try:
        said = "“Elden Ring” is the one."
        assert finder.find(said, "games")[0].catalog == "games"
        assert finder.find(said, "twins")[0].catalog == "twins"
        assert finder.find(said, "korean-news", [("twins", twin)])[0].catalog == "twins"
    finally:
        demo_catalogs.delete("twins")
    assert finder.find(said, "korean-news")[0].catalog == "games"


def test_an_item_is_named_once_and_there_is_an_end(finder: MentionFinder) -> None:
    assert len(finder.find("Elden Ring! Elden Ring! “Elden Ring”", "games")) == 1
    many = " ".join(f"“Invented Title {n}”" for n in range(40))
    assert len(finder.find(many, "games")) == MAX_MENTIONS


def test_what_a_model_thought_aloud_names_nothing(finder: MentionFinder) -> None:
    assert names(finder.find("<think>“Nothing Real”</think>“Elden Ring”", "games")) == [
        ("Elden Ring", "elden-ring")
    ]
    assert finder.find("", "games") == ()


@pytest.mark.parametrize(
    "odd", ["<script>alert(1)</script>", "“”", "*" * 500, "“" * 300, "\u202eabc", "👩‍🚀" * 50]
)
def test_odd_answers_do_no_harm(finder: MentionFinder, odd: str) -> None:
    for mention in finder.find(odd, "games"):
        assert odd[mention.start : mention.end] == mention.name
